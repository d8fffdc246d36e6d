"""Columns that become rows: which columns of a sheet they are, and a block's cells one below the other.

A row of the sheet makes a row for each of these columns, with its own key columns, the column's name, and what stands
in the cell. It is known by its cell: the row, and which of the columns (``numbered``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from factload.errors import WorkbookError
from factload.sheet.block import Block, Column, Int32s, Kind, blank_cells, stacked
from factload.sheet.choices import MOST_UNPIVOTED, UnpivotChoice
from factload.sheet.dates import Calendar
from factload.sheet.header import Header, columns_named, names_of, place_columns
from factload.sheet.names import as_seen
from factload.sheet.ranges import Ranges
from factload.sheet.references import column_letters
from factload.sheet.rows import Row
from factload.vectors import Positions, matches, texts

CELL = "cell number"  # the column of a partition file that tells the rows of one row of the sheet apart
_MOST_NUMBER = np.iinfo(np.int32).max
# What stands for columns that no sheet has: of a column's name, of what stands above it, of the cell.
NAME, ABOVE, VALUE = 0, -1, -2


@dataclass(frozen=True, slots=True)
class Pivot:
    """The columns that become rows (A = 1), ascending; what they are called, and what stands above each.

    ``cells``: what the header holds there, texts and dates; by what stands for it in a row. ``keep_blanks``: whether a
    blank cell makes a row, too, where its row has anything that is read.
    """

    columns: Sequence[int]
    names: Sequence[str]
    above: Sequence[str]
    cells: Mapping[int, Column]
    keep_blanks: bool

    def __len__(self) -> int:
        return len(self.columns)


@dataclass(frozen=True, slots=True)
class ByCells:
    """A block with a row for each cell. ``at``: which of the columns each stands in; ``blank``: how many cells make no
    row; ``filled``: the rows of the sheet with something in a column that is read."""

    block: Block
    at: Positions
    blank: int
    filled: Int32s


def by_cells(block: Block, pivot: Pivot, keys: Collection[int]) -> ByCells:
    """The block's cells one below the other, by rows and in them from left to right. ``keys``: the columns that are
    read beside them."""
    stack = stacked([block.columns[index] for index in pivot.columns])
    written = ~blank_cells(stack).reshape(len(pivot), len(block))
    filled = written.any(axis=0)
    for index in keys:
        filled |= ~blank_cells(block.columns[index])
    ragged = np.zeros(len(block), np.bool_)
    ragged[list(block.ragged)] = True
    filled |= ragged
    kept: npt.NDArray[np.bool_] = (
        np.broadcast_to(filled, written.shape) if pivot.keep_blanks else written
    ) | ragged
    row, at = map(np.ascontiguousarray, np.nonzero(kept.T))
    columns = {index: block.columns[index].take(row) for index in keys}
    columns[VALUE] = stack.take(at * len(block) + row)
    columns |= {stand: cells.take(at) for stand, cells in pivot.cells.items()}
    told = {int(place): block.ragged[int(row[place])] for place in np.flatnonzero(ragged[row])}
    return ByCells(
        Block(block.row[row], columns, block.last_row, told), at, kept.size - len(row), block.row[filled]
    )


def numbered(row: Int32s, at: Positions) -> Int32s:
    """The number of each cell: ascending by rows, and in them from left to right."""
    if len(row) and int(row[-1]) > _MOST_NUMBER // MOST_UNPIVOTED - 1:
        raise WorkbookError(
            "unpivot_too_long",
            f"Row {int(row[-1]):,} is beyond those whose columns can become rows",
            expected=f"at most {_MOST_NUMBER // MOST_UNPIVOTED - 1:,} rows",
            remedy="Split the file",
        )
    return (row.astype(np.int64) * MOST_UNPIVOTED + at).astype(np.int32)


Numbers = TypeVar("Numbers", int, Int32s)


def place_in(number: Numbers) -> tuple[Numbers, Numbers]:
    """The row of a cell by its number, or those of several, and which of the columns it stands in."""
    return number // MOST_UNPIVOTED, number % MOST_UNPIVOTED


def find_pivot(
    choice: UnpivotChoice,
    header: Header,
    rows: Sequence[Row],
    read: Collection[int],
    sheet: str,
    calendar: Calendar,
    merged: Callable[[int], Ranges],
) -> Pivot:
    """The columns of a sheet that become rows. ``rows``: its first, the header among them; ``read``: the columns that
    are read by themselves; ``merged``: the merged ranges that reach a row, or rows below it.

    Raises WorkbookError that says what is missing, or there twice.
    """
    columns = _listed(choice, header, sheet) if choice.columns else _matching(choice.pattern, header, sheet)
    if both := sorted({*columns} & {*read}):
        raise _unfit(
            f"Sheet {sheet!r} has {header.names[both[0]]!r} ({column_letters(both[0])}{header.row}), which is read by "
            "itself and is one of the columns that become rows",
            "one of the two",
        )
    if len(columns) > MOST_UNPIVOTED:
        raise _unfit(
            f"Sheet {sheet!r} has {len(columns):,} columns that become rows", f"at most {MOST_UNPIVOTED:,}"
        )
    names = [header.names[index] for index in columns]
    above = (
        _above(columns, header, _row_above(header, rows, calendar, merged), sheet)
        if choice.above
        else [""] * len(columns)
    )
    seen: dict[tuple[str, str], int] = {}
    for index, pair in zip(columns, zip(above, names, strict=True), strict=True):
        first = seen.setdefault((as_seen(pair[0]).casefold(), as_seen(pair[1]).casefold()), index)
        if first != index:
            places = " and ".join(f"{column_letters(at)}{header.row}" for at in (first, index))
            named = " below ".join(map(repr, filter(None, reversed(pair))))
            raise _unfit(f"Sheet {sheet!r} has the column {named} twice: {places}", "each once")
    cells = {
        NAME: _cells(names, (row for row in rows if row.number == header.row), calendar),
        ABOVE: _cells(above, (row for row in rows if row.number < header.row), calendar),
    }
    return Pivot(columns, names, above, cells, choice.keep_blanks)


def _listed(choice: UnpivotChoice, header: Header, sheet: str) -> list[int]:
    if not choice.above:
        return sorted({*place_columns(header, choice.columns, sheet)})
    return sorted({index for name in choice.columns for index in columns_named(header, name)})


def _matching(pattern: str, header: Header, sheet: str) -> list[int]:
    fits = matches(texts(header.names.values()), pattern)
    columns = [index for index, fit in zip(header.names, fits, strict=True) if fit]
    if not columns:
        raise _unfit(
            f"Sheet {sheet!r} has no column in row {header.row} that matches `workbook.unpivot.pattern`",
            "one at least",
        )
    return sorted(columns)


def shown_above(columns: Sequence[int], there: Mapping[int, str]) -> list[str]:
    """What stands above each of the columns, or above the next one to its left that has something there, from the
    first of them on; "" where none has. ``there``: what stands in the row above, by column."""
    found: list[str] = []
    for index in range(columns[0], columns[-1] + 1):
        found.append(there.get(index, "") or (found[-1] if found else ""))
    return [found[index - columns[0]] for index in columns]


def _above(columns: Sequence[int], header: Header, there: Mapping[int, str], sheet: str) -> list[str]:
    shown = shown_above(columns, there)
    if not shown[0]:
        where = f"in {column_letters(columns[0])}{header.row - 1}, " if header.row > 1 else ""
        raise _unfit(
            f"Sheet {sheet!r} has nothing {where}above the first column that becomes rows",
            "a second row of names above the header, as `workbook.unpivot.above` says",
        )
    return shown


def _row_above(
    header: Header, rows: Sequence[Row], calendar: Calendar, merged: Callable[[int], Ranges]
) -> dict[int, str]:
    """What the row above the header shows, by column: merged cells all show what the first of them holds."""
    held = {row.number: names_of(row, calendar) for row in rows if row.number < header.row}
    shown = dict(held.get(header.row - 1, {}))
    for top, left, _, right in merged(header.row - 1).tolist():
        if top < header.row:
            shown |= dict.fromkeys(range(left, right + 1), held.get(top, {}).get(left, ""))
    return shown


def _cells(names: Sequence[str], rows: Iterable[Row], calendar: Calendar) -> Column:
    """What the names are in these rows: dates, where they are in cells that hold such, and otherwise texts."""
    dated = {
        name: row.cells[index]
        for row in rows
        for index, name in names_of(row, calendar).items()
        if row.cells[index][0] in (Kind.SERIAL, Kind.ISO_DATE)
    }
    cells = [dated.get(name, (Kind.TEXT, name)) for name in names]
    return Column(np.array([kind for kind, _ in cells], np.uint8), texts(text for _, text in cells))


def _unfit(seen: str, expected: str) -> WorkbookError:
    return WorkbookError(
        "unpivot_unfit",
        seen,
        expected=expected,
        remedy="Correct the header, or `workbook.unpivot` in the feed file",
    )
