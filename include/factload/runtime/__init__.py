"""Where and how steps run.

``step``        one step: its connection, its errors' meaning, its record in the ledger
``processes``, ``last_words``   steps side by side on one machine; what their processes print
``retry``       what is tried again by itself, after a conflict or while the database is away
``measure``     what a step costs
"""
