"""From workbooks to partition files.

``allowed``        where workbooks may lie
``remote``         those that have a URL: found, and copied to this machine
``sources``        which workbooks a load reads, known by their bytes
``fields``         which columns of a sheet a feed reads
``places``         which column of the sheet a field was read from
``partitions``     one workbook's sheets, window by window, into partition files, counted twice
``recorded``       partition files as the ledger knows them
``witness``        the owner's own number, where the feed says that it stands
``all_workbooks``  all of a load's, one after another
"""
