"""Twenty years of one series, in one feed file, loaded by `airflow backfill create` on a real scheduler.

`make series` makes the workbooks, with one year's own total a cent off, runs the backfill, compares every fact row with
what a plain script reads (`plain_reader`, which shares no code with anything), puts the year right, and has the years that
failed run again.
"""
