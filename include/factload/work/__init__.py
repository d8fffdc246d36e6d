"""Where and how steps run.

``step``        one step at work: its connection, its errors' meaning, its record in the ledger
``processes``   steps side by side on one machine
``measure``, ``memory``   what a step costs; what a process does without
"""
