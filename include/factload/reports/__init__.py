"""What the ledger says of loads, read for people.

``report``               what a load came to
``publication``          what readers see of it
``rejects_workbook``     the rejected rows, to be sent back
``history``, ``detail``, ``reject_pages``  what the Loads page reads: days and trends, one load, rejects by the page
"""
