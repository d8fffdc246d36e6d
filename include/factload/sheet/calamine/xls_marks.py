"""Which cells of an .xls sheet show an error or hold a formula whose saved value says nothing: python-calamine gives
them as empty texts, or as what was saved.

Only the records that can say so are looked at, in the substream of the sheet itself: a chart in the sheet saves values
of its own, as records of cells too, in one that is nested. Sources: [MS-XLS] 2.4.24 (BoolErr), 2.4.28 (BoundSheet8),
2.4.127 (Formula), 2.5.10 (Bes), 2.5.133 (FormulaValue), and FilePass, RecalcId, Uncalced. That a formula is to be
calculated when the file is opened, 2.4.127 keeps for itself; programs that don't calculate set it, and save 0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import olefile

_STREAMS = ("Workbook", "Book")  # Excel 97 and later, Excel 95
_BEGINS, _ENDS = (0x0009, 0x0209, 0x0409, 0x0809), 0x000A
_SHEET, _FORMULA, _BOOLEAN_OR_ERROR = 0x0085, 0x0006, 0x0205
_HEAD, _OFFSET = struct.Struct("<HH"), struct.Struct("<I")
_BOOLEAN_CELL = struct.Struct("<HH2xBB")  # row, column; value; whether that is an error
# Row, column; then, if the last but one is 0xFFFF: type and value of the result. Flags.
_FORMULA_CELL = struct.Struct("<HH2xBxB3xHH")
_NO_NUMBER, _AN_ERROR, _EMPTY = 0xFFFF, 2, 3
_WHEN_OPENED = 0x0002  # of a formula's flags
_CALCULATED_BY, _UNCALCULATED, _ENCRYPTED = 0x01C1, 0x005E, 0x002F
_SHOWN = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}


class Marked(NamedTuple):
    """Cells by row and column from 1: the errors that they show; those whose formulas are to be calculated when the
    file is opened; those whose formulas were never calculated."""

    errors: dict[tuple[int, int], str]
    stale: set[tuple[int, int]]
    empty: set[tuple[int, int]]


def marked_cells(path: str, sheet: int) -> Marked:
    """The cells of a sheet of which calamine doesn't tell. ``sheet`` counts all sheets of the workbook from 0.

    Raises ValueError or OSError where the file is not as it should be.
    """
    try:
        data = _stream(path)
        of_all = list(_records(data, 0))
        offsets = [_OFFSET.unpack_from(data, at)[0] for record, at in of_all if record == _SHEET]
        engines = [_OFFSET.unpack_from(data, at + 4)[0] for record, at in of_all if record == _CALCULATED_BY]
        return _marked(data, offsets[sheet], engines[0] if engines else None)
    except (struct.error, IndexError) as error:
        raise ValueError("records break off") from error


def is_protected(path: str) -> bool:
    """Whether a workbook is encrypted: what its records hold, but not their kinds. Raises as ``marked_cells`` does."""
    try:
        return any(record == _ENCRYPTED for record, _ in _records(_stream(path), 0))
    except struct.error as error:
        raise ValueError("records break off") from error


def _stream(path: str) -> bytes:
    with olefile.OleFileIO(path) as file:
        name = next((name for name in _STREAMS if file.get_type(name) == olefile.STGTY_STREAM), None)
        if name is None:
            raise ValueError("there is no workbook in it")
        if file.get_size(name) > Path(path).stat().st_size:  # sectors that go round in circles
            raise ValueError("a stream is longer than its file")
        data: bytes = file.openstream(name).read()
        return data


def _records(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Kind and content's position of each record of the substream that begins ``at``, without those nested in it."""
    depth = 0
    while True:
        record, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        depth += (record in _BEGINS) - (record == _ENDS)
        if not depth:
            return
        if depth == 1:
            yield record, at
        at += size


def _marked(data: bytes, start: int, engine: int | None) -> Marked:
    """``engine``: what calculated the workbook last: 0 for nothing, None where it doesn't say."""
    errors: dict[tuple[int, int], str] = {}
    every: set[tuple[int, int]] = set()
    stale: set[tuple[int, int]] = set()
    empty: set[tuple[int, int]] = set()
    uncalculated = engine == 0
    for record, at in _records(data, start):
        if record == _BOOLEAN_OR_ERROR:
            row, column, value, is_error = _BOOLEAN_CELL.unpack_from(data, at)
        elif record == _FORMULA:
            row, column, kind, value, mark, flags = _FORMULA_CELL.unpack_from(data, at)
            is_error = mark == _NO_NUMBER and kind == _AN_ERROR
            place = row + 1, column + 1
            every.add(place)
            if flags & _WHEN_OPENED:
                stale.add(place)
            elif mark == _NO_NUMBER and kind == _EMPTY:
                empty.add(place)
        else:
            uncalculated |= record == _UNCALCULATED
            continue
        if is_error:
            errors[row + 1, column + 1] = _SHOWN.get(value, f"#{value}")
    # A program that calculates saves empty texts too, but not for all formulas.
    never = empty if engine is None and empty == every else set()
    return Marked(errors, every if uncalculated else stale, never)
