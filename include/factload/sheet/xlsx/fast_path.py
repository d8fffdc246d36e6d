"""The fast path: rows as common programs write them, decoded column by column.

Reading cell by cell, in whatever language, builds an object for every cell of the sheet. Here all cells of a window are
found by vector operations, and all their values are made at once. Most of it does not hold the interpreter lock, so
windows are decoded in parallel. It reads only what :mod:`factload.sheet.xlsx.plain_row_regex` calls plain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.block import Block, Column, Kind
from factload.sheet.xlsx.excel_text import settle_some
from factload.sheet.xlsx.plain_cells import SHARED, Cells, found_cells, misplaced
from factload.sheet.xlsx.plain_row_regex import PRESERVE
from factload.sheet.xlsx.strings_table import SharedStrings
from factload.vectors import Bytes, Flags, Positions, flags, is_empty, matches, slices

_VALUE_AT = len("<v>")  # and of <t>; white space to keep makes the tag longer


def read_plain(
    xml: bytes,
    columns: Sequence[int],
    strings: SharedStrings,
    date_styles: Mapping[int, Kind],
    *,
    keep_space: bool = False,
    stale: bool = False,
) -> Block:
    """The block of a piece of sheet XML that consists of plain rows only.

    ``keep_space``: the sheet around it keeps white space, so that texts do which don't say it themselves.
    ``stale``: the values of its formulas are out of date.

    Raises WorkbookError for row numbers that do not ascend, a cell that is there twice or in the wrong row, a
    shared string that isn't there; NotPlain for stale formulas that fill more cells than their own.
    """
    found = found_cells(xml, columns, date_styles, stale)
    rows = int(found.valued.sum())
    place = np.cumsum(found.valued) - 1  # of each row among those that carry a value

    where = found.cells.column.astype(np.int64) * rows + place.take(found.cells.row)
    every = _column_by_column(xml, found.cells, found.kind, where, len(columns) * rows, strings, keep_space)
    if stale and found.cells.formula.any():
        formula = _laid(found.cells.formula, where, len(every.kind))
        every.kind[formula & (every.kind != Kind.ERROR)] = Kind.STALE
    out = {column: every.slice(i * rows, rows) for i, column in enumerate(columns)}
    numbers = found.numbers
    return Block(numbers[found.valued].astype(np.int32), out, int(numbers[-1]) if len(numbers) else 0)


def _column_by_column(
    xml: bytes,
    cells: Cells,
    kind: Bytes,
    where: Positions,
    size: int,
    strings: SharedStrings,
    keep_space: bool,
) -> Column:
    """All columns, one after another, as one of ``size`` places; the cells come to ``where``, the rest is blank.

    All at once, not one by one: a sheet of many columns has few rows in a window, and an operation on few values costs
    as much as one on thousands.
    """
    order = np.full(size, len(where), np.int64)
    order[where] = np.arange(len(where))
    if np.count_nonzero(order != len(where)) != len(where):
        raise misplaced()
    kinds = np.zeros(size, np.uint8)
    kinds[where] = kind
    own = kind == Kind.TEXT
    data = np.frombuffer(xml, np.uint8)
    start, worded = cells.value_at + _VALUE_AT, bool(own.any())
    preserve = data[2:].take(cells.value_at) == ord(" ")
    if worded:
        start += len(PRESERVE) * preserve
        preserve |= keep_space
    text = slices(xml, start, cells.end, pa.string(), order)
    shared = kinds == SHARED
    if shared.any():
        found = strings.take(text.filter(flags(shared)).cast(pa.int64()))
        text = found if shared.all() else pc.replace_with_mask(text, flags(shared), found)
        kinds[shared] = Kind.TEXT
    if worded:
        spaced = (data.take(start) <= ord(" ")) | (data.take(cells.end - 1) <= ord(" "))
        odd = _laid(own & ~preserve & spaced, where, size)
        if _may_hold_escapes(xml):
            odd |= _laid(own, where, size) & matches(text, "&|_x")
        text = settle_some(text, odd, _laid(preserve, where, size))
    kinds[is_empty(text)] = Kind.BLANK
    return Column(kinds, text)


def _laid(values: Flags, where: Positions, size: int) -> Flags:
    """Flags at some of ``size`` places, false elsewhere."""
    laid = np.zeros(size, np.bool_)
    laid[where] = values
    return laid


def _may_hold_escapes(xml: bytes) -> bool:
    return b"&" in xml or (b"_" in xml and b"_x" in xml)  # one byte is found many times as fast as two
