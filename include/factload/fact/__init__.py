"""Rows on their way into the fact table.

``table``, ``relation_defects``  what the fact table must be: its columns; the relation as a whole
``relation``, ``load_column``  what of it is looked up, and by whom its rows are told apart
``modes/``                 what publishing does with existing rows: one module for each mode
``exchange/``              how the staging table of a load becomes a partition of the fact table
``unique``, ``once_only``    what may stand in a load once, and where it needs a value
``constants``              what of a fact row comes from no sheet
``encodable``              rows that are rejects before keys are looked up: the database can't store a text of theirs
``resolve``, ``rejected``  a partition's rows: fact rows, and rejects with their reason, each at its cell
``members/``               members that change by what rows say of them
``row_numbers``            the number of a row, in the staging table and in the sheet
``staging_table``, ``staged``  the staging table of a load
``duplicates``, ``duplicate_cells``  rows that an upsert would write twice; what stands in their cells
``taking_out``             rows of a load taken out of the fact table, and brought back
``digest``                 what the ledger keeps of a publication's digest
``standing``               what of the load is published already, and whether it is still there
``publish``                the one visible transaction
``rights``                 what the connection's user may do with the tables of a feed
"""
