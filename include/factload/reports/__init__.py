"""What people see of loads.

``report``, ``terminal``, ``progress``   what a load came to; as text; while it runs
``rejects_workbook``                     the rejected rows, to be sent back
``history``, ``detail``, ``reject_pages``  what the Loads page reads: days and trends, one load, rejects by the page
"""
