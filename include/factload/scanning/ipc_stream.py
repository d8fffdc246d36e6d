"""Batches as the bytes of an Arrow IPC stream, made as they are read.

Of all its readers, pyarrow lets others make only that of such a stream. So a class of ours that is one is a
``RecordBatchReader``, wherever that is asked for, and can have something beside it. The bytes of a batch are copied
once.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa


class IpcStream(io.RawIOBase):
    """A file of the schema's message and of each batch's, which is asked for when it is reached."""

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches, self._left = batches, memoryview(schema.serialize())

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> memoryview:
        """At most so many of the next bytes, none at the end. Raises what the batches raise."""
        if not self._left:
            batch = next(self._batches, None)
            if batch is not None:
                self._left = memoryview(batch.serialize())
        found = self._left if size < 0 else self._left[:size]
        self._left = self._left[len(found) :]
        return found
