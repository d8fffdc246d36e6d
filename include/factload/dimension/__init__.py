"""From a dimension in the database to the surrogate keys of a partition's rows.

``table``       a dimension's table, checked against the feed
``attributes``  which of its columns the sheet may fill, and as what they are read
``extract``     business key → surrogate key, frozen at one snapshot
``map_file``    these in a file, ordered by hash
``arrival``     a checksum of the dimension, on the server and after the copy
``normalize``   how both sides spell a key
``key_hash``, ``lookup``   keys found in the map by search, a range of it at a time
``said``        what is said of a member, as one value
``validity``, ``empty_validity``  when a member with a history is valid; whether one may be at no time
``inferred``    inferred members, made for keys that have none
"""
