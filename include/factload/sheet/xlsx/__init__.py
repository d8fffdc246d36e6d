"""Workbooks in Office Open XML, .xlsx and .xlsm. Read in this order:

``source``, ``package``       the container, its members; the sheets by windows
``areas``                     its Excel tables and defined names
``windows``, ``counting``     the sheet's bytes, cut into windows; the rows in them, counted apart from any parser
``plain_row_regex``, ``plain_cells``, ``fast_path``  rows written the way common programs write them
``slow_path``, ``decode``     all others, by XML; which of the two reads what
``first_rows``, ``picked``    rows that are read one by one: the first, or some by their numbers
``character_data``, ``excel_text``  what the characters of a text are: white space, escapes, runs
``tail``, ``spread``          what changes the cells: after the rows, in formulas of other cells

``number_formats``, ``row_numbers``, ``strings``, ``strings_table``, ``xml_bytes``, ``xml_parts`` are their tools.
"""
