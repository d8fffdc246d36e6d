"""Decoded pieces of a sheet, which every kind of file gives, and what a fast path raises where it can't read one."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from factload.errors import WorkbookError
from factload.sheet.columns import TypedRows


class NotPlain(Exception):  # control flow: caught by the caller, never shown
    """The fast path can't read this sheet: the slow path reads all of it."""


class ReadAgain(Exception):  # control flow: caught by the caller, never shown
    """Something after the rows changes how they are read: read them again, now that it is known."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A piece's typed rows; ``source`` counted from the bytes; its first and last Excel row (0: none)."""

    rows: TypedRows
    source: int
    first_row: int
    last_row: int
    ends_partition: bool


Pieces = Generator[Decoded, None, None]  # closing it closes what it reads


def row_count_mismatch(part: str, row: int) -> WorkbookError:
    """The reader and the independent count disagree, so the sheet is refused."""
    return WorkbookError(
        "row_count_mismatch",
        f"Two ways of counting the rows of {part} disagree, first at row {row:,}",
        expected="every row read or refused",
        remedy="Open the workbook in Excel and save it again; keep the file, it shows a fault of this reader",
    )
