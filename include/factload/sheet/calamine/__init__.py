"""Workbooks of other programs and times, .xls, .xlsb and .ods: read in a process of its own, the first two by calamine.

``child`` is that process, ``source`` the one that asks it; ``zip_bounds`` is what a zip must be before it is asked.
``calamine_book``, ``xls_marks``, ``xlsb_parts``  calamine's cells, and what it doesn't tell of them
``ods_tables``, ``ods_cells``, ``ods_merged``     an .ods workbook's own XML
"""
