"""Rows on their way into the fact table.

``table``, ``relation``    what the fact table must be: its columns; the relation as a whole
``unique``                 what it allows once, and what it wants a value in
``constants``              what of a fact row comes from no sheet
``resolve``                a partition's rows: fact rows, and rejects with their reason
``insert``, ``staged``     chunked inserts; the staging table of a load
``duplicates``, ``duplicate_cells``  rows that an upsert would write twice; what stands in their cells
``standing``               what of the load is published already, and whether it is still there
``publish``                the one visible transaction
``rights``                 what the connection's user may do with the tables of a feed
"""
