"""The workbook's shared strings: read once, looked up by every thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.file_errors import damaged
from factload.sheet.rows import too_much_text
from factload.vectors import EMPTY, fixed, taken


class SharedStrings:
    """Texts by position, as one Arrow array."""

    def __init__(self, texts: pa.Array[Any], max_bytes_taken: int = 1 << 28) -> None:
        self.texts, self._max_bytes_taken = texts, max_bytes_taken
        self._lengths = pc.binary_length(texts)

    def __len__(self) -> int:
        return len(self.texts)

    def text(self, index: int) -> str:
        """The text at ``index``, which is below ``len``."""
        return str(self.texts[index].as_py())

    def take(self, index: pa.Array[Any]) -> pa.Array[Any]:
        """The texts at these positions. Raises WorkbookError when one isn't there, or all are too long."""
        if len(index) and pc.max(index).as_py() >= len(self.texts):
            raise damaged("A cell names a shared string that isn't there")
        size = pc.sum(self._lengths.take(index)).as_py() or 0
        if size > self._max_bytes_taken:  # a small file can name one long text a million times
            raise too_much_text(self._max_bytes_taken)
        return taken(self.texts, fixed(index, np.int64))


NO_STRINGS = SharedStrings(EMPTY[:0])
