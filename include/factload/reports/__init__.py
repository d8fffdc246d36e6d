"""What the ledger says of loads, read for people.

``report``               what a load came to
``publication``          what readers see of it
``rejects_workbook``     the rejected rows, to be sent back
``annotated/``           the same, marked in the workbook that they came in
``history``, ``months``, ``detail``, ``reject_pages``  what the Loads page reads: days and trends, months, one load,
                         rejects by the page
"""
