"""Decoded pieces of a sheet, which every kind of file gives, and what a fast path raises where it can't read one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

import numpy as np

from factload.errors import WorkbookError
from factload.sheet.block import Int32s, Kind
from factload.sheet.columns import TypedRows


class NotPlain(Exception):  # control flow: caught by the caller, never shown
    """The fast path can't read this sheet: the slow path reads all of it."""


class ReadAgain(Exception):  # control flow: caught by the caller, never shown
    """Something after the rows changes how they are read: read them again, now that it is known."""


Cell = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class Marks:
    """What the rows of a piece say of themselves, by their Excel rows: the first that may end the data (0: none), those
    that are skipped, and the cells by column of those that may be totals. ``tall``: row → its last line, of those that
    are several lines long."""

    ends_at: int = 0
    skipped: Int32s = field(default_factory=lambda: np.empty(0, np.int32))
    cells: Mapping[int, Mapping[int, Cell]] = field(default_factory=dict)
    tall: Mapping[int, int] = field(default_factory=dict)


NO_MARKS = Marks()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A piece's typed rows; ``source`` counted from the bytes; its first and last Excel row (0: none).

    ``left_out``: reason → how many rows of the piece are no data, and not among its rows; ``marks``: what is known of
    them before all pieces are seen in their order.
    """

    rows: TypedRows
    source: int
    first_row: int
    last_row: int
    ends_partition: bool
    marks: Marks = NO_MARKS
    left_out: Mapping[str, int] = field(default_factory=dict)


Pieces = Generator[Decoded, None, None]  # closing it closes what it reads


def row_count_mismatch(part: str, row: int) -> WorkbookError:
    """The reader and the independent count disagree, so the sheet is refused."""
    return WorkbookError(
        "row_count_mismatch",
        f"Two ways of counting the rows of {part} disagree, first at row {row:,}",
        expected="every row read or refused",
        remedy="Open the workbook in Excel and save it again; keep the file, it shows a fault of this reader",
    )
