"""From the bytes of a workbook to typed columns. Read in this order:

``source``, ``sheets``      a workbook of any kind, opened: its sheets, and their rows as typed pieces
``file_kind``, ``limits``   what kind of file it is; how much it may hold
``area``, ``named_areas``   a part of a sheet that is read instead of all of it: a table, a range
``header``                  a sheet's header, found by its names
``xlsx/``                   .xlsx and .xlsm
``csv/``                    text files with delimiters
``calamine/``               .xls, .xlsb, .ods, in a process of their own
``pieces``, ``block``, ``rows``  what each of the three gives: decoded pieces, columns of cells, single rows
``field``, ``convert``, ``moments``  what a feed takes of a sheet; cells as values of a declared type
``placing``, ``pivot``      where a sheet has what a feed reads; columns that become rows
``columns``, ``reject``     rows as the declared columns, or the reason why not; what is said of a rejected row
``unstorable``              characters that no database stores, marked in a text
``choices``, ``merged``     cells that can be read two ways, and what the feed says of them

The kinds of file import what they share, and never each other; ``source`` alone knows all of them (``FORMATS``). The
rest are tools: ``date_format``, ``dates``, ``file_errors``, ``inflate``, ``looks``, ``names``, ``numbers``,
``parallel_map``, ``ranges``, ``references``, ``relations``, ``rule_checks``, ``xml_reader``; and for what stands in
texts ``text_format``, ``text_values``, ``marked_numbers``, ``null_words``, ``zones``.
"""
