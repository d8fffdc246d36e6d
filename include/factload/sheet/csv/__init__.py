"""Text files with delimiters, .csv and .csv.gz, as sources. Read in this order:

``dialect``, ``stream``  how such a file is written; its bytes as UTF-8, inflated and within the limits
``records``, ``fast_path``  the fast path: blocks of whole records, decoded column by column
``slow_path``            for quoting of any kind; it also says what is wrong with a file
``misread``              what is said of a file whose fields stand between other delimiters
``counting``             the records that carry a value, counted apart from both
``source``               which of the two reads what
"""
