"""A first feed file, proposed: what a workbook's sheets look like, and what the database has for them.

Read in this order:

``first``                       from a workbook and a database to a proposal, to a file, to what to type next
``csv_seen``, ``header``        how a csv file is written; which row of a sheet is its header
``workbook_seen``, ``areas_seen``   the sheet with the rows; the Excel table that they stand in
``sheet_seen``, ``columns_seen``   what is known of a sheet; its columns and what they hold
``odd_rows``, ``left_out``      rows that are totals and notes
``unpivot_seen``, ``period_names``   columns that are months, quarters, weeks or years, and become rows
``attributes_seen``, ``witness_seen``   what is said of a key in every row; the owner's own sums
``column_types``, ``text_shapes``   the type of a column; how its texts write numbers and dates
``tables_seen``, ``dimensions_seen``   the tables there are; what may be a dimension's business key
``proposal``, ``into_table``, ``new_tables``   what is proposed: into a table that is there, or with new ones
``keys_matched``                which columns of the sheet hold the keys of a dimension that is there
``tried``                       every row read as a load reads it, and what is then proposed otherwise
``written``, ``ddl``, ``names`` the feed file; the tables that are missing; what things are called

A proposal is for a person to read: nothing here decides what a load does.
"""
