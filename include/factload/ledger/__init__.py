"""What is remembered of every load, in schema ``factload`` of the warehouse.

``ledger``, ``opening``  the state and history of a load; the locks that allow one writing attempt per load
``partitions``           what each partition was counted at, and what of it is staged
``rejects``, ``corrections``  the rejected rows; those that people corrected
``member_changes``, ``member_versions``  what a load changed of members; which load a version begins with
``undoing``                what an undo brings back, and what is noted of it
``conditions``             which rows are those of a content, a partition, the newest attempt: once for all queries
``states``               what a state means, and what resumes it
``tables``, ``migrations``  the schema, and how each version came out of the one before
"""
