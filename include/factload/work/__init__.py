"""Where and how steps run.

``step``        one step at work: its connection, its errors' meaning, its record in the ledger
``processes``   steps side by side on one machine
``again``       what is tried again by itself, after a conflict or while the database is away
``measure``, ``memory``   what a step costs; what a process does without
"""
