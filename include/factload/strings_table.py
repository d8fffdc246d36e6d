"""The workbook's shared strings: read once, looked up by every thread."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.vectors import EMPTY
from factload.xml_parts import damaged


class SharedStrings:
    """Texts by position, as one Arrow array."""

    def __init__(self, texts: pa.Array[Any]) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def text(self, index: int) -> str:
        """The text at ``index``, which is below ``len``."""
        return str(self.texts[index].as_py())

    def take(self, index: pa.Array[Any]) -> pa.Array[Any]:
        """The texts at these positions. Raises WorkbookError when one isn't there."""
        if len(index) and pc.max(index).as_py() >= len(self.texts):
            raise damaged("A cell names a shared string that isn't there")
        return self.texts.take(index)


NO_STRINGS = SharedStrings(EMPTY[:0])
