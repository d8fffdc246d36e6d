"""What people see of loads.

``report``, ``terminal``, ``progress``   what a load came to; as text; while it runs
``identity``, ``rejects_workbook``       the rejected rows, to be sent back; by what they are known when they return
``history``, ``detail``, ``reject_pages``  what the Loads page reads: days and trends, one load, rejects by the page
"""
