"""Everything that would stop a load, in one run that writes nothing: ``factload check``, and dry runs.

``load``      what a load would come to
``rows``      what its partitions come to
``target``    where its rows would go: fact table, dimensions, what is published already
``sheets``    the sheets that can be read, and of each the fields that can
``limits``    what of the feed's limits it would exceed
``change``    what publishing would change in numbers
``row_by_row``  what it would change row by row, in a temporary table
``witness``   the owner's own number beside what the load would come to
``layouts``   where columns and sheets change over a range of periods
``duplicates``  rows that would be rejected as duplicates of an earlier one
``findings``  what was found, collected instead of raised
"""
