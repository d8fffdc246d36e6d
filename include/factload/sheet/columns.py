"""A block's cells converted to the declared columns, and for each rejected row its first reason.

The type of a value is what the feed says, never what a sample looked like. A cell that isn't of that type makes
its row a reject, with the cell's place and the text a person sees in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from factload.sheet.arrow_types import arrow_type
from factload.sheet.block import Block, Column, Kind, is_blank_text, stacked
from factload.sheet.convert import CODES, REASON_OF, convert
from factload.sheet.dates import Calendar
from factload.sheet.field import SheetField
from factload.sheet.numbers import Codes
from factload.sheet.references import column_letters
from factload.sheet.reject import NOTED
from factload.sheet.seen import seen_in
from factload.sheet.unstorable import as_escaped
from factload.vectors import Flags, Positions, integers, taken, texts


@dataclass(frozen=True, slots=True)
class TypedRows:
    """Rows with something in a mapped column, in the schema of :func:`schema`, and how many have nothing there."""

    batch: pa.RecordBatch
    blank: int
    rejected: int


def schema(fields: Sequence[SheetField]) -> pa.Schema:
    """``row`` (Excel's row number), the fields by name, then what is noted of a reject: null in good rows."""
    return pa.schema(
        [
            pa.field("row", pa.int32()),
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


def type_rows(
    block: Block, fields: Sequence[SheetField], placed: Sequence[int], *, calendar: Calendar
) -> TypedRows:
    """The block's rows as typed columns. ``placed``: for each field the index of its sheet column (A = 1)."""
    groups = _alike(block, fields, placed)
    filled = ~np.logical_and.reduce([flag for g in groups for flag in g.blank.reshape(len(g.at), len(block))])
    filled[list(block.ragged)] = True
    blank, row = len(block) - int(filled.sum()), block.row
    if blank:
        groups, row = [group.only(filled) for group in groups], row[filled]
    cells: dict[int, Column] = {}
    arrays: dict[int, pa.Array[Any]] = {}
    codes: dict[int, Codes] = {}
    for group in groups:
        values, found = convert(group.cells, group.blank, group.field, calendar=calendar)
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
    bad = np.flatnonzero(first)
    described = [
        ("", f"A{row[i]}", ragged[int(i)])
        if int(i) in ragged
        else _describe(
            cells[int(place[i])], int(i), fields[place[i]].column, placed[place[i]], int(row[i]), calendar
        )
        for i in bad
    ]
    noted: dict[str, list[str | None]] = {
        "reason": [REASON_OF[int(first[i])] for i in bad],
        **{name: [part[n] for part in described] for n, name in enumerate(("column", "cell", "raw"))},
    }
    columns = [integers(row), *(arrays[position] for position in range(len(fields)))]
    columns += [_sparse(noted[name], bad, len(row)) for name in NOTED]
    return TypedRows(pa.RecordBatch.from_arrays(columns, schema=schema(fields)), blank, len(bad))


def _alike(block: Block, fields: Sequence[SheetField], placed: Sequence[int]) -> list[_Alike]:
    """The fields in groups that are converted at once: an operation on few values costs as much as one on thousands."""
    groups: dict[SheetField, list[int]] = {}
    for position, field in enumerate(fields):
        groups.setdefault(replace(field, name="", column=""), []).append(position)
    found = []
    for field, at in groups.items():
        cells = stacked([block.columns[placed[position]] for position in at])
        found.append(_Alike(field, at, cells, _blank(cells)))
    return found


def _sparse(found: list[str | None], at: Positions, length: int) -> pa.Array[Any]:
    """Texts at some places of a column, null elsewhere."""
    if not found:
        return pa.nulls(length, pa.string())
    index = np.full(length, len(found), np.int64)
    index[at] = np.arange(len(found))
    return taken(texts([*found, None]), index)


def _blank(column: Column) -> Flags:
    """Cells that look empty: no value, or only white space."""
    text = column.kind == Kind.TEXT
    blank: Flags = column.kind == Kind.BLANK
    return blank | (text & is_blank_text(column.text)) if text.any() else blank


def _describe(
    column: Column, at: int, header: str, index: int, row: int, calendar: Calendar
) -> tuple[str, str, str | None]:
    kind = int(column.kind[at])
    raw = None if kind == Kind.BLANK else as_escaped(seen_in(kind, str(column.text[at]), calendar))
    return header, f"{column_letters(index)}{row}", raw
