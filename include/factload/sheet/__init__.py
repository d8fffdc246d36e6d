"""From the bytes of a workbook to typed columns. Read in this order:

``source``, ``sheets``      a workbook of any kind, opened: its sheets, and their rows as typed pieces
``file_kind``, ``limits``   what kind of file it is; how much it may hold
``workbook``                a sheet's header, found by its names
``xlsx``, ``package``       .xlsx and .xlsm: the container, its members; the sheets by windows
``windows``, ``counting``   the sheet's bytes, cut into windows; the rows in them, counted apart from any parser
``grammar``, ``plain``      the fast reader, for rows written the way common programs write them
``cells``, ``decode``       the exact reader, for all others; which of the two reads what
``character_data``          what the characters of a text are: white space, escapes, runs
``unstorable``              characters that no database stores, marked in a text
``field``, ``convert``      what a feed takes of a sheet; cells as values of a declared type
``columns``                 rows as the declared columns, or the reason why not
``delimited``               csv files
``foreign``                 .xls, .xlsb, .ods, in a process of their own
``choices``, ``merged``     cells that can be read two ways, and what the feed says of them
``tail``, ``spread``        what says so: after the rows, in formulas of other cells

The rest are their tools: ``block``, ``date_format``, ``dates``, ``in_order``, ``inflate``, ``looks``, ``names``,
``number_formats``, ``numbers``, ``references``, ``settling``, ``strings``, ``strings_table``, ``text_values``,
``xml_parts``.
"""
