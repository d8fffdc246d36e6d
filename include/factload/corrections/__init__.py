"""Rejected rows that a person corrected.

``identity``     the columns of a rejects workbook that say which row is meant
``shown_cells``  how a cell is shown there, and whether it has been changed since
``returned``, ``comparison``  a rejects workbook that came back, and what a person changed in it
``same_rows``    the rows of a workbook that were corrected
``partitions``   partition files with corrected rows in the place of rejected ones
"""
