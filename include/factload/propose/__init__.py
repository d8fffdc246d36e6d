"""A first feed file, proposed: what a workbook's header and a few rows look like, and what the database has for it.

``sheet_seen`` looks at the workbook, ``tables_seen`` at the database, ``proposal`` matches the two, ``written``
writes the feed file and the tables that are missing. A proposal is for a person to read: nothing here decides what
a load does.
"""
