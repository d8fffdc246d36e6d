"""Where and how steps run.

``step``        one step: its connection, its errors' meaning, its record in the ledger
``side_by_side``   the steps of one load at work in worker processes
``processes``, ``last_words``   these processes on one machine; what they print
``retry``       what is tried again by itself, after a conflict or while the database is away
``measure``     what a step costs
"""
