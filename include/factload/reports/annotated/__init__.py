"""A workbook as its sender wrote it, with some cells marked and commented on; all else stays as it was.

An .xlsx or .xlsm file is a zip of XML parts. The parts that say something of the marked cells are changed in places,
by bytes: the sheet, its comments and their drawing, the styles. Every other member is copied. A library that reads a
workbook and writes it anew would lose what it doesn't know, charts and macros among them.
"""
