"""The columns of a sheet: their names, what stands in them, and how that may be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from factload.propose.column_types import Reading, reading_of
from factload.propose.header import FoundTable
from factload.sheet.block import Kind
from factload.sheet.dates import GREGORIAN, Calendar
from factload.sheet.doubles import is_too_long_a_key
from factload.sheet.header import Header, columns_named
from factload.sheet.numbers import parse_decimal
from factload.sheet.references import column_letters
from factload.sheet.rows import Row
from factload.sheet.seen import number_seen, seen_in

_LONGEST_KEY = 200  # characters: what an index takes is more, and a text that long is no key
OUT_OF_DATE = "whose saved values the workbook itself calls out of date: open and save it in Excel"


@dataclass(frozen=True)
class SeenColumn:
    """One column: its name, how many rows were looked at, and how often each (kind, text) stands in it.

    ``required``: a blank cell shows that the row is no row of data; so does one of the texts in ``not_allowed``.
    ``index``: its place in the sheet (A = 1); 0 of one that is none of the sheet's.
    """

    header: str
    rows: int
    cells: Counter[tuple[Kind, str]]
    reading: Reading
    calendar: Calendar = GREGORIAN
    may_be_key: bool = True
    required: bool = False
    not_allowed: tuple[str, ...] = ()
    index: int = 0

    @property
    def always_filled(self) -> bool:
        return self.rows > 0 and self.cells.total() == self.rows

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The distinct values, as keys are spelt."""
        return tuple(dict.fromkeys(_as_key(kind, text, self.calendar) for kind, text in self.cells))

    @property
    def holds_keys(self) -> bool:
        """Whether every row has a value that may be a key."""
        return self.may_be_key and self.always_filled and all(_is_key(*cell) for cell in self.cells)


def columns_of(
    found: FoundTable, data: Sequence[Row], calendar: Calendar, *, all_text: bool, decimal: str | None
) -> tuple[tuple[SeenColumn, ...], tuple[SeenColumn, ...], dict[str, str]]:
    """The columns with names of their own, those that share theirs, and by name why a column can't be read.

    ``decimal``: the mark of fractions in texts, where the file knows nothing but texts.
    """
    left_out = dict(_unnamed(found))
    columns: list[SeenColumn] = []
    doubled: list[SeenColumn] = []
    for index, header in found.names.items():
        cells = Counter(_cell(row.cells[index]) for row in data if index in row.cells)
        del cells[Kind.BLANK, ""]
        same = columns_named(Header(found.row, found.names), header)
        if why := _unreadable(cells, len(data)):
            left_out[header] = why
            continue
        cells, reading = read_as(header, cells, all_text=all_text, decimal=decimal)
        column = SeenColumn(header, len(data), cells, reading, calendar, index=index)
        if len(same) == 1:
            columns.append(column)
        else:
            at = " and ".join(f"{column_letters(i)}{found.row}" for i in same)
            left_out[header] = f"{at} have the same name, so it is unclear which is meant. Rename one"
            doubled.append(column)
    return tuple(columns), tuple(doubled), left_out


def read_as(
    header: str, cells: Counter[tuple[Kind, str]], *, all_text: bool, decimal: str | None
) -> tuple[Counter[tuple[Kind, str]], Reading]:
    """The cells that hold a value, and how these may be read."""
    reading = reading_of(header, cells, all_text=all_text, decimal=decimal)
    if reading.nulls:
        cells = Counter({cell: n for cell, n in cells.items() if cell[1].strip() not in reading.nulls})
    return cells, reading


def _cell(cell: tuple[Kind, str]) -> tuple[Kind, str]:
    kind, text = cell
    return (Kind.BLANK, "") if kind == Kind.TEXT and not text.strip() else cell


def _unnamed(found: FoundTable) -> Iterable[tuple[str, str]]:
    for index in found.blank:
        at = column_letters(index)
        yield f"column {at}", f"it has no name in {at}{found.row}"


def _unreadable(cells: Counter[tuple[Kind, str]], rows: int) -> str:
    """Why a column would make too many rows rejects, whatever its type."""
    formulas = sum(n for (kind, _), n in cells.items() if kind == Kind.NO_VALUE)
    stale = sum(n for (kind, _), n in cells.items() if kind == Kind.STALE)
    errors = sum(n for (kind, _), n in cells.items() if kind == Kind.ERROR)
    if formulas > 0.005 * rows:
        return f"{formulas:,} of its cells hold formulas whose values were never saved: open and save it in Excel"
    if stale > 0.005 * rows:
        return f"{stale:,} of its cells hold formulas {OUT_OF_DATE}"
    return f"{errors:,} of its cells show errors" if errors > 0.005 * rows else ""


def decimal_mark(found: FoundTable, rows: Sequence[Row]) -> str | None:
    """The mark of fractions that the texts of a csv file have, as far as columns say it without a doubt."""
    marks: Counter[str] = Counter()
    for index, header in found.names.items():
        cells = Counter(_cell(row.cells[index]) for row in rows if index in row.cells)
        del cells[Kind.BLANK, ""]
        reading = reading_of(header, cells, all_text=True)
        if reading.type.is_number and any(re.search(r"[.,]", text) for _, text in cells):
            marks[reading.written.decimal] += 1
    return marks.most_common(1)[0][0] if len(marks) == 1 else None


def _as_key(kind: Kind, text: str, calendar: Calendar) -> str:
    return (number_seen(text) if kind == Kind.NUMBER else seen_in(kind, text, calendar)).strip()


def _is_key(kind: Kind, text: str) -> bool:
    if kind == Kind.NUMBER:
        number = parse_decimal(text)
        return number is not None and number == int(number) and not is_too_long_a_key(number)
    return kind == Kind.TEXT and len(text) <= _LONGEST_KEY
