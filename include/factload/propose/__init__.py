"""A first feed file, proposed: what a workbook's sheets look like, and what the database has for them.

Read in this order:

``first``                       from a workbook and a database to a proposal, to a file, to what to type next
``csv_seen``, ``header``        how a csv file is written; which row of a sheet is its header
``sheet_seen``, ``areas_seen``   the columns and what they hold; the Excel table that they stand in
``odd_rows``, ``left_out``      rows that are totals and notes
``column_types``, ``text_shapes``   the type of a column; how its texts write numbers and dates
``tables_seen``, ``dimensions_seen``   the tables there are; what may be a dimension's business key
``proposal``, ``into_table``, ``new_tables``   what is proposed: into a table that is there, or with new ones
``tried``                       every row read as a load reads it, and what is then proposed otherwise
``written``, ``ddl``, ``names`` the feed file; the tables that are missing; what things are called

A proposal is for a person to read: nothing here decides what a load does.
"""
