"""Rows on their way into the fact table.

``table``, ``relation_defects``  what the fact table must be: its columns; the relation as a whole
``relation``, ``load_column``  what of it is looked up, and by whom its rows are told apart
``modes/``                 what publishing does with existing rows: one module for each mode
``exchange/``              how the staging table of a load becomes a partition of the fact table
``unique``, ``once_only``    what may stand in a load once, and where it needs a value
``constants``              what of a fact row comes from no sheet
``member_attributes``, ``encodable``  rows that are rejects before keys are looked up: others disagree about the member,
                           or the database can't store a text
``resolve``, ``rejected``  a partition's rows: fact rows, and rejects with their reason, each at its cell
``members_said``, ``member_changes``  what staged rows say of members; members brought up to date by it, and back
``member_versions``, ``member_history``  members that get new versions by it; which they must be, planned out of values
``version_rows``, ``version_reading``, ``version_changes``  these versions in the database: which are looked at;
                           what they are; what is changed of them
``row_numbers``            the number of a row, in the staging table and in the sheet
``staging_table``, ``staged``  the staging table of a load
``duplicates``, ``duplicate_cells``  rows that an upsert would write twice; what stands in their cells
``taking_out``             rows of a load taken out of the fact table, and brought back
``digest``                 what the ledger keeps of a publication's digest
``standing``               what of the load is published already, and whether it is still there
``publish``                the one visible transaction
``rights``                 what the connection's user may do with the tables of a feed
"""
