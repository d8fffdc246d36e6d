"""A workbook's rows as a stream of Arrow batches, for programs that load nothing: ``factload.scan``.

``asked``              what the caller asks for, in the words of a feed file
``file``               the file, opened once
``batches``            a sheet's rows, batch by batch, and what is counted beside them
``rejects``            those of all sheets
``reading``            all of it from the first batch to the end, an error, or until it is closed
``ipc_stream``, ``scan``  the stream as pyarrow reads it; the function, and what it returns
"""
