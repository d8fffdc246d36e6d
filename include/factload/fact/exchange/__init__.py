"""Publishing by partition exchange: the staged rows become a partition of the fact table, in the place of the one that
the load published before. Nothing is written twice, and readers wait for milliseconds, however many rows there are.

``bounds``      which values a partition takes
``parent``      the partitioned fact table, its partitions, indexes and constraints, as the catalog has them
``fitness``     why a table, or a partition of it, can't be published to in this way
``place``       why one load can't take its place: what stands there, and isn't its own
``staging``     the staging table, which is the partition to come
``completion``  what is made once the last row is in: indexes, constraints, statistics
``swap``        the old partition out and the new one in, within one transaction

``fact.modes.exchange`` puts them together.
"""
