"""Consecutive rows of a sheet, column by column: what the fast path and the slow path both produce.

A row here *carries a value*: somewhere in it, mapped or not, stands a non-empty value or a formula whose
value was never computed. Rows without one (gaps, styled empty rows) are no rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from factload.vectors import EMPTY, Flags, first_bytes, flags, integers, is_empty
from factload.white_space import is_white

Int32s = npt.NDArray[np.int32]
UInt8s = npt.NDArray[np.uint8]
UInt16s = npt.NDArray[np.uint16]


_FIRST_OF_TWO = 0xC2  # the lowest byte that a character beyond ASCII begins with


class Kind(IntEnum):
    """What kind of value a cell holds in the file, independent of the declared type."""

    BLANK = 0
    TEXT = 1
    NUMBER = 2  # the text is the digits as they are in the file
    SERIAL = 3  # a number that the sheet shows as a date: digits too
    BOOLEAN = 4  # the text is "1" or "0"
    ISO_DATE = 5  # a cell of type "d": the text is ISO 8601, of a date or of a time
    ERROR = 6  # the text is the error: "#DIV/0!"
    NO_VALUE = 7  # a formula without a cached value: the text is the formula
    TIME = 8  # a number that the sheet shows as a time of day without its day, 12:20: digits
    ELAPSED = 9  # a number that the sheet shows as elapsed time, 25:30: digits
    STALE = 10  # a formula whose cached value is out of date: the text is that
    MERGED = 11  # merged with others, and not the first: the text is what that one shows
    RICH = (
        12  # a rich value, such as a linked data type or an image: the text is the error that stands for it
    )
    AMBIGUOUS = 13  # written in a way that programs read differently: the text is what some of them show


DATED = (Kind.SERIAL, Kind.TIME, Kind.ELAPSED)  # numbers that don't look like one
# What holds no value that could be read.
UNREADABLE = frozenset({Kind.ERROR, Kind.NO_VALUE, Kind.STALE, Kind.MERGED, Kind.RICH, Kind.AMBIGUOUS})


@dataclass(frozen=True, slots=True)
class Column:
    """One sheet column over the rows of a block: kinds (uint8) and texts (string, "" where blank)."""

    kind: UInt8s
    text: pa.Array[Any]

    def take(self, index: npt.NDArray[np.int64]) -> Column:
        return Column(self.kind[index], self.text.take(integers(index)))

    def slice(self, start: int, length: int) -> Column:
        """Some of its cells, not copied."""
        return Column(self.kind[start : start + length], self.text.slice(start, length))

    def filter(self, keep: Flags) -> Column:
        return Column(self.kind[keep], self.text.filter(flags(keep)))


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that carry a value, in the order of the sheet.

    ``row`` holds Excel row numbers (1-based, ascending, no doubles); ``columns`` has an entry for every mapped
    sheet column, keyed by its index (A = 1), each as long as ``row``. ``last_row`` is the last row that was
    written in this stretch, with or without a value (0: none was). ``ragged``: of rows whose fields can't be told
    apart, by their position in the block, the whole text; their columns are blank. ``last_lines``: the line where each
    row ends, where rows may be several lines long.
    """

    row: Int32s
    columns: Mapping[int, Column]
    last_row: int
    ragged: Mapping[int, str] = field(default_factory=dict)
    last_lines: Int32s | None = None

    def __len__(self) -> int:
        return len(self.row)


def stacked(columns: Sequence[Column]) -> Column:
    """Columns one after another, as one."""
    if len(columns) == 1:
        return columns[0]
    return Column(
        np.concatenate([column.kind for column in columns]),
        pa.concat_arrays([column.text for column in columns]),
    )


def empty_block(columns: Sequence[int]) -> Block:
    """A block of no rows."""
    column = Column(np.empty(0, np.uint8), EMPTY[:0])
    return Block(np.empty(0, np.int32), dict.fromkeys(columns, column), 0)


def merge(first: Block, second: Block) -> Block:
    """The rows of both blocks, which have the same columns, in the order of the sheet."""
    row = np.concatenate([first.row, second.row])
    order = np.argsort(row, kind="stable")
    columns = {
        index: stacked([column, second.columns[index]]).take(order) for index, column in first.columns.items()
    }
    return Block(row[order], columns, max(first.last_row, second.last_row))


def is_blank_text(text: pa.Array[Any]) -> Flags:
    """Which texts are empty or nothing but white space, as a person sees it."""
    empty = is_empty(text)
    first = first_bytes(text)
    if not ((first <= ord(" ")) | (first >= _FIRST_OF_TWO)).any():  # no white space begins otherwise
        return empty
    return empty | is_white(text)


def blank_cells(column: Column) -> Flags:
    """Which cells look empty: no value, or only white space."""
    text = column.kind == Kind.TEXT
    blank: Flags = column.kind == Kind.BLANK
    return blank | (text & is_blank_text(column.text)) if text.any() else blank
