"""Rows as they are written, one object each: headers, single rows, and sheets that only the slow path can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from factload.errors import WorkbookError
from factload.sheet.block import Block, Column, Kind
from factload.sheet.file_errors import hostile
from factload.vectors import texts


@dataclass(slots=True)
class Row:
    """One row as written. ``cells``: column index (A = 1) → kind and text; blank cells are left out."""

    number: int
    valued: bool = False
    cells: dict[int, tuple[Kind, str]] = field(default_factory=dict)

    @property
    def text_bytes(self) -> int:
        """How long its texts are together, in UTF-8."""
        return sum(_size(text) for _, text in self.cells.values())


def bounded(rows: Iterable[Row], max_text_bytes: int) -> Iterator[Row]:
    """The rows; raises WorkbookError once their texts exceed ``max_text_bytes`` together."""
    taken = 0
    for row in rows:
        taken += row.text_bytes
        if taken > max_text_bytes:
            raise too_much_text(max_text_bytes)
        yield row


def too_much_text(limit: int) -> WorkbookError:
    """The error for a few rows that hold too much text together."""
    return hostile(
        "The rows that are read at a time hold too much text together",
        f"at most {limit:,} bytes",
        "window_text_bytes",
    )


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def row_out_of_order(number: int, after: int) -> WorkbookError:
    """The error for a row that occurs twice or out of order: it is unclear which cells count."""
    what = "is there twice" if number == after else f"comes after row {after:,}"
    return WorkbookError(
        "duplicate_row",
        f"Row {number:,} {what} in the sheet's XML",
        expected="every row once, in order",
        remedy="Open the workbook in Excel and save it again",
    )


def to_block(rows: Sequence[Row], columns: Iterable[int], last_row: int) -> Block:
    """Rows that carry a value, as a block of these columns."""
    valued = [row for row in rows if row.valued]
    blank = (Kind.BLANK, "")
    out: dict[int, Column] = {}
    for index in columns:
        cells = [row.cells.get(index, blank) for row in valued]
        out[index] = Column(
            np.array([kind for kind, _ in cells], np.uint8),
            texts(text for _, text in cells),
        )
    return Block(np.array([row.number for row in valued], np.int32), out, last_row)


def chosen(rows: Iterator[Row], wanted: Iterable[int]) -> Iterator[Row]:
    """Those of ``rows`` whose numbers are ``wanted``; both ascend."""
    row: Row | None = Row(0)
    for number in wanted:
        while row is not None and row.number < number:
            row = next(rows, None)
        if row is None:
            return
        if row.number == number:
            yield row
