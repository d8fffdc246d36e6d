"""From the bytes of a workbook to typed columns. Read in this order:

``file_kind``, ``package``  the container: what kind of file it is, its members, its limits
``workbook``                the sheet's header, found by its names
``windows``, ``counting``   the sheet's bytes, cut into windows; the rows in them, counted apart from any parser
``grammar``, ``plain``      the fast reader, for rows written the way common programs write them
``cells``, ``decode``       the exact reader, for all others; which of the two reads what
``columns``                 cells as the declared types, or the reason why not

The rest are their tools: ``block``, ``numbers``, ``dates``, ``number_formats``, ``strings``, ``strings_table``,
``xml_parts``.
"""
