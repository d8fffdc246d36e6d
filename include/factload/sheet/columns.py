"""A block's cells converted to the declared columns, and for each rejected row its first reason.

The type of a value is what the feed says, never what a sample looked like. A cell that isn't of that type makes
its row a reject, with the cell's place and the text a person sees in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from factload.sheet.arrow_types import arrow_type
from factload.sheet.block import Block, Column, Int32s, Kind, blank_cells, stacked
from factload.sheet.codes import CODES, REASON_OF
from factload.sheet.convert import convert
from factload.sheet.dates import Calendar
from factload.sheet.field import SheetField
from factload.sheet.numbers import Codes
from factload.sheet.pivot import CELL, ByCells, by_cells, numbered
from factload.sheet.placing import Placing
from factload.sheet.references import column_letters
from factload.sheet.reject import NOTED
from factload.sheet.seen import seen_in
from factload.sheet.signs import SignsBeside, signs_beside
from factload.sheet.unstorable import as_escaped
from factload.vectors import Flags, Positions, fixed, integers, taken, texts


@dataclass(frozen=True, slots=True)
class TypedRows:
    """Rows with something in a mapped column, in the schema of :func:`schema`, and how many have nothing there.

    ``filled``: the sheet's own rows with something there, where these are one for each of several columns.
    """

    batch: pa.RecordBatch
    blank: int
    rejected: int
    filled: Int32s | None = None

    @property
    def numbers(self) -> Int32s:
        """The sheet's rows with something in a mapped column."""
        found: Int32s = fixed(self.batch["row"], np.int32) if self.filled is None else self.filled
        return found


def schema(fields: Sequence[SheetField], *, by_cells: bool = False) -> pa.Schema:
    """``row`` (Excel's row number), the fields by name, then what is noted of a reject: null in good rows.

    ``by_cells``: with the number of the cell behind that of the row.
    """
    return pa.schema(
        [
            pa.field("row", pa.int32()),
            *([pa.field(CELL, pa.int32())] if by_cells else []),
            *(pa.field(field.name, arrow_type(field.type)) for field in fields),
            *(pa.field(name, pa.string()) for name in NOTED),
        ]
    )


@dataclass(frozen=True, slots=True)
class _Alike:
    """Fields that differ in their names alone, and what their cells hold, one field after another.

    ``at``: the positions of these fields in the feed.
    """

    field: SheetField
    at: Sequence[int]
    cells: Column
    blank: Flags

    def only(self, keep: Flags) -> _Alike:
        """Only the rows that are kept."""
        every = np.tile(keep, len(self.at))
        return _Alike(self.field, self.at, self.cells.filter(every), self.blank[every])


def type_rows(block: Block, placing: Placing, *, calendar: Calendar) -> TypedRows:
    """The block's rows as typed columns. ``placing``: which of its columns the fields are read from."""
    if placing.pivot is None:
        return _typed(block, placing, calendar, None)
    cells = by_cells(block, placing.pivot, placing.keys)
    return _typed(cells.block, placing, calendar, cells)


def _typed(block: Block, placing: Placing, calendar: Calendar, of_cells: ByCells | None) -> TypedRows:
    fields, placed = placing.fields, placing.placed
    groups = _alike(block, fields, placed)
    filled = ~np.logical_and.reduce([flag for g in groups for flag in g.blank.reshape(len(g.at), len(block))])
    filled[list(block.ragged) if of_cells is None else slice(None)] = True
    blank, row = len(block) - int(filled.sum()), block.row
    if blank:
        groups, row = [group.only(filled) for group in groups], row[filled]
    cells: dict[int, Column] = {}
    arrays: dict[int, pa.Array[Any]] = {}
    codes: dict[int, Codes] = {}
    for group in groups:  # a column of signs stands before the numbers that it is of
        signs = _signs_beside(group.field, fields, arrays, codes) if group.field.signed_by else None
        values, found = convert(group.cells, group.blank, group.field, calendar=calendar, signs=signs)
        for n, position in enumerate(group.at):
            start = n * len(row)
            cells[position] = group.cells.slice(start, len(row))
            arrays[position], codes[position] = values.slice(start, len(row)), found[start : start + len(row)]

    first = np.zeros(len(row), np.uint8)  # the code of each row's first defect
    kept = np.cumsum(filled) - 1  # where each row of the block is among those that are kept
    ragged = {int(kept[at]): text for at, text in block.ragged.items()}
    first[list(ragged)] = CODES["ragged_row"]
    place = np.zeros(len(row), np.int64)  # and the position of its field
    for position in range(len(fields)):
        new = (first == 0) & (codes[position] != 0)
        if new.any():
            first[new], place[new] = codes[position][new], position
            if fields[position].signed_by:
                place[new & (first == CODES["unknown_sign"])] = _sign_of(fields[position], fields)
    bad = np.flatnonzero(first)
    described = [
        ("", f"A{row[i]}", ragged[int(i)])
        if int(i) in ragged
        else _describe(
            cells[int(place[i])],
            int(i),
            *_column_of(placing, int(place[i]), of_cells, int(i)),
            int(row[i]),
            calendar,
        )
        for i in bad
    ]
    noted: dict[str, list[str | None]] = {
        "reason": [REASON_OF[int(first[i])] for i in bad],
        **{name: [part[n] for part in described] for n, name in enumerate(("column", "cell", "raw"))},
    }
    columns = [integers(row), *(arrays[position] for position in range(len(fields)))]
    columns += [_sparse(noted[name], bad, len(row)) for name in NOTED]
    if of_cells is None:
        return TypedRows(pa.RecordBatch.from_arrays(columns, schema=schema(fields)), blank, len(bad))
    columns.insert(1, integers(numbered(row, of_cells.at)))
    batch = pa.RecordBatch.from_arrays(columns, schema=schema(fields, by_cells=True))
    return TypedRows(batch, of_cells.blank, len(bad), of_cells.filled)


def _signs_beside(
    field: SheetField,
    fields: Sequence[SheetField],
    arrays: Mapping[int, pa.Array[Any]],
    codes: Mapping[int, Codes],
) -> SignsBeside:
    """What the column of a field's signs, which is converted, says beside its numbers."""
    at = _sign_of(field, fields)
    signs = fields[at].signs
    assert signs is not None  # noqa: S101  # as the feed's fields are made
    return signs_beside(arrays[at], codes[at] != 0, signs)


def _sign_of(field: SheetField, fields: Sequence[SheetField]) -> int:
    """The position of the field that says the sign of another."""
    return next(at for at, sign in enumerate(fields) if sign.name == field.signed_by)


def _column_of(placing: Placing, position: int, of_cells: ByCells | None, row: int) -> tuple[str, int]:
    """What the column of a field is called in a row of the block, and its index (A = 1)."""
    index = placing.placed[position]
    if index > 0 or placing.pivot is None or of_cells is None:
        return placing.fields[position].column, index
    at = int(of_cells.at[row])
    return placing.pivot.names[at], placing.pivot.columns[at]


def _alike(block: Block, fields: Sequence[SheetField], placed: Sequence[int]) -> list[_Alike]:
    """The fields in groups that are converted at once: an operation on few values costs as much as one on thousands."""
    groups: dict[SheetField, list[int]] = {}
    for position, field in enumerate(fields):
        groups.setdefault(replace(field, name="", column=""), []).append(position)
    found = []
    for field, at in groups.items():
        cells = stacked([block.columns[placed[position]] for position in at])
        found.append(_Alike(field, at, cells, blank_cells(cells)))
    return found


def _sparse(found: list[str | None], at: Positions, length: int) -> pa.Array[Any]:
    """Texts at some places of a column, null elsewhere."""
    if not found:
        return pa.nulls(length, pa.string())
    index = np.full(length, len(found), np.int64)
    index[at] = np.arange(len(found))
    return taken(texts([*found, None]), index)


def _describe(
    column: Column, at: int, header: str, index: int, row: int, calendar: Calendar
) -> tuple[str, str, str | None]:
    kind = int(column.kind[at])
    raw = None if kind == Kind.BLANK else as_escaped(seen_in(kind, str(column.text[at]), calendar))
    return header, f"{column_letters(index)}{row}", raw
