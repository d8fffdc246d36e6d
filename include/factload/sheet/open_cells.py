"""The cells of a column that are still to be converted to its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.block import Kind
from factload.sheet.dates import Calendar
from factload.sheet.numbers import Codes
from factload.vectors import Flags, Positions, fixed, flags, integers


@dataclass(frozen=True, slots=True)
class OpenCells:
    """The cells still to be converted (``open``), and which of them are texts to be parsed (``written``)."""

    kind: Codes
    text: pa.Array[Any]
    open: Flags
    written: Flags
    calendar: Calendar

    def of(self, *kinds: Kind) -> Flags:
        """Which of the open cells are of one of these kinds."""
        found = np.zeros(len(self.kind), np.bool_)
        for kind in kinds:
            found |= self.kind == kind
        return found & self.open


def none_but(text: pa.Array[Any], which: Flags) -> pa.Array[Any]:
    return text if which.all() else pc.if_else(flags(which), text, pa.nulls(1, pa.string())[0])


def distinct_cells(cells: OpenCells, which: Flags) -> tuple[list[tuple[int, str, bool]], Positions]:
    """The distinct kinds and texts of some cells, whether they are written texts, and which of them each cell has."""
    encoded = cells.text.filter(flags(which)).dictionary_encode()
    index = fixed(encoded.indices, np.int32).astype(np.int64)
    marks = cells.kind[which].astype(np.int64) * 2 + cells.written[which]
    if (marks == marks[0]).all():
        kind, written = int(marks[0]) // 2, bool(marks[0] % 2)
        return [(kind, raw, written) for raw in encoded.dictionary.to_pylist()], index
    distinct, back = np.unique(index * 512 + marks, return_inverse=True)
    raws = encoded.dictionary.take(integers(distinct // 512)).to_pylist()
    marks = distinct % 512
    return list(zip((marks // 2).tolist(), raws, (marks % 2 == 1).tolist(), strict=True)), back
