"""One program a peer, each as its documentation has people write it: `python FILE WORKBOOK … DATABASE_URL`.

Readers alone take one workbook, and print how many rows they saw, the sum of the metrics, and the seconds of reading.
"""
