"""What was seen in the workbook: which sheet has the rows, its columns, and their values.

All rows of a small sheet are looked at, and the first ones of a big one; ``tried`` reads the rest as a load does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from factload.errors import WorkbookError
from factload.propose.areas_seen import table_around
from factload.propose.column_types import Reading, reading_of
from factload.propose.csv_seen import SeenCsv
from factload.propose.header import ROWS_LOOKED_AT, FoundTable, find_table, last_names
from factload.propose.left_out import NOTHING, LeftOut, rows_left_out
from factload.propose.odd_rows import THE_HEADER, OddRow, odd_rows
from factload.sheet.block import Kind
from factload.sheet.choices import AreaChoice, CellChoices, Merged
from factload.sheet.dates import GREGORIAN, Calendar
from factload.sheet.doubles import as_excel_shows, is_too_long_a_key
from factload.sheet.header import Header, columns_named
from factload.sheet.numbers import parse_decimal, plain_text
from factload.sheet.references import column_letters
from factload.sheet.rows import Row
from factload.sheet.seen import seen_in
from factload.sheet.sheets import SheetPart, choose
from factload.sheet.source import Source, open_source

_CELLS_LOOKED_AT = 400_000
_LONGEST_KEY = 200  # characters: what an index takes is more, and a text that long is no key
OUT_OF_DATE = "whose saved values the workbook itself calls out of date: open and save it in Excel"


@dataclass(frozen=True)
class SeenColumn:
    """One column: its name, how many rows were looked at, and how often each (kind, text) stands in it.

    ``required``: a blank cell shows that the row is no row of data; so does one of the texts in ``not_allowed``.
    """

    header: str
    rows: int
    cells: Counter[tuple[Kind, str]]
    reading: Reading
    calendar: Calendar = GREGORIAN
    may_be_key: bool = True
    required: bool = False
    not_allowed: tuple[str, ...] = ()

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


@dataclass(frozen=True)
class SeenSheet:
    """The sheet that is looked at, and the others of the workbook. ``left_out``: columns that no feed can read, each
    with the reason; ``odd``: rows that look like totals or notes; ``leaves``: what of them a feed can leave out.
    ``table``: the Excel table that holds the rows."""

    name: str
    others: tuple[str, ...]
    header_row: int
    columns: tuple[SeenColumn, ...]
    left_out: dict[str, str]
    odd: tuple[OddRow, ...]
    rows: int
    csv: SeenCsv | None = None
    decimal: str | None = None
    whole: bool = True
    merged: Merged = "reject"
    leaves: LeftOut = NOTHING
    first_header: str = ""
    table: str | None = None

    def column(self, header: str) -> SeenColumn:
        """The column called so."""
        return next(c for c in self.columns if c.header == header)

    def changed(self, header: str, **changes: object) -> SeenSheet:
        """The sheet with one of its columns seen otherwise."""
        columns = (replace(c, **changes) if c.header == header else c for c in self.columns)  # type: ignore[arg-type]
        return replace(self, columns=tuple(columns))

    def without_blank_row(self) -> SeenSheet:
        """The sheet with what is below a blank row as rows that look odd: in the columns that are read, another row may
        be blank."""
        leaves = replace(self.leaves, below=())
        return replace(self, leaves=leaves, odd=(*self.odd, *self.leaves.below))

    def without(self, header: str, why: str) -> SeenSheet:
        """The sheet without a column that no feed can read."""
        columns = tuple(c for c in self.columns if c.header != header)
        return replace(self, columns=columns, left_out={**self.left_out, header: why})


def look_at_sheet(path: Path, sheet: str | None, csv: SeenCsv | None) -> SeenSheet:
    """The sheet called ``sheet``, else the visible one with the widest table: its columns, and what they hold.

    Raises WorkbookError: ``header_unlikely`` when no row looks like a header, ``rows_missing`` when it has no rows.
    """
    with open_source(path, csv=csv.dialect if csv else None) as source:
        cells = [s for s in source.sheets if s.kind == "worksheet"]
        chosen = choose(source.sheets, sheet) if sheet and csv is None else cells
        part, found = _best(source, chosen, path)
        others = tuple(s.name for s in cells if s != part)
        table = table_around(source, part, found)
        if table is None:
            return replace(_looked_at(source, part, found, path, csv), others=others)
    with open_source(path, cells=CellChoices(area=AreaChoice(table=table))) as source:
        [part] = source.sheets
        seen = _looked_at(source, part, _table_on(source, part) or found, path, csv)
        return replace(seen, others=others, table=table)


def _looked_at(
    source: Source, part: SheetPart, found: FoundTable, path: Path, csv: SeenCsv | None
) -> SeenSheet:
    """What stands below the header that was found."""
    bound = max(ROWS_LOOKED_AT, _CELLS_LOOKED_AT // max(1, len(found.names)))
    rows, whole = _rows(source, part, found.row, bound)
    if not rows:
        raise _no_rows(path, part.name, found.row)
    return _sheet(part.name, found, rows, csv, source.calendar, whole=whole)


def _best(source: Source, sheets: Sequence[SheetPart], path: Path) -> tuple[SheetPart, FoundTable]:
    """The sheet with the widest table, of those that are visible if one of these has any."""
    for hidden in (False, True):
        found = []
        for part in sheets:
            if (part.state != "visible") == hidden:
                table = _table_on(source, part)
                found += [(part, table)] if table else []
        if found:
            return max(found, key=lambda one: one[1].weight)
        for part in sheets:
            if (part.state != "visible") == hidden and (last := last_names(source.all_rows(part))):
                raise _no_rows(path, part.name, last)
    raise WorkbookError(
        "header_unlikely",
        f"No sheet of {path.name} has a row that looks like a header",
        expected="a row of two or more texts, one above each column",
        remedy="Write the names above the columns, or name the sheet with --sheet",
    )


def _table_on(source: Source, part: SheetPart) -> FoundTable | None:
    """What looks like a table among the first rows of a sheet."""
    with closing(_generator(source.all_rows(part))) as rows:
        return find_table(list(islice(rows, ROWS_LOOKED_AT)), part.name)


def _generator(rows: Iterable[Row]) -> Generator[Row, None, None]:
    """The rows, in something that can be closed: what it reads is closed with it."""
    yield from rows


def _rows(source: Source, part: SheetPart, header_row: int, bound: int) -> tuple[list[Row], bool]:
    """The rows below the header, and whether these are all."""
    with closing(_generator(source.all_rows(part))) as every:
        below = (row for row in every if row.number > header_row)
        rows = list(islice(below, bound))
        return rows, next(below, None) is None


def _no_rows(path: Path, sheet: str, header_row: int) -> WorkbookError:
    return WorkbookError(
        "rows_missing",
        f"Sheet {sheet!r} of {path.name} has no rows below its header in row {header_row}",
        expected="at least one row, from which types can be proposed",
        remedy="Name a workbook with rows in it, or the sheet with --sheet",
    )


def _sheet(
    name: str, found: FoundTable, rows: Sequence[Row], csv: SeenCsv | None, calendar: Calendar, *, whole: bool
) -> SeenSheet:
    within = [row for row in rows if any(row.cells[i][1].strip() for i in found.names if i in row.cells)]
    odd = odd_rows(found, within)
    numbers = {row.number for row in odd}
    data = [row for row in within if row.number not in numbers]
    left_out, columns = dict(_unnamed(found)), []
    decimal = _decimal(found, data) if csv else None
    for index, header in found.names.items():
        if len(same := columns_named(Header(found.row, found.names), header)) > 1:
            at = " and ".join(f"{column_letters(i)}{found.row}" for i in same)
            left_out[header] = f"{at} have the same name, so it is unclear which is meant. Rename one"
            continue
        cells = Counter(_cell(row.cells[index]) for row in data if index in row.cells)
        del cells[Kind.BLANK, ""]
        if why := _unreadable(cells, len(data)):
            left_out[header] = why
            continue
        reading = reading_of(header, cells, all_text=csv is not None, decimal=decimal)
        if reading.nulls:
            cells = Counter({cell: n for cell, n in cells.items() if cell[1].strip() not in reading.nulls})
        columns.append(SeenColumn(header, len(data), cells, reading, calendar))
    leaves = rows_left_out(found, odd, data, whole=whole)
    odd = tuple(row for row in odd if row.number not in leaves.rows)
    seen = SeenSheet(
        name,
        (),
        found.row,
        tuple(columns),
        left_out,
        odd,
        len(rows),
        csv,
        decimal,
        whole,
        leaves=leaves,
        first_header=found.names[min(found.names)],
    )
    return _refusing_odd_rows(seen, found)


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


def _decimal(found: FoundTable, rows: Sequence[Row]) -> str | None:
    """The mark of fractions that the texts of a csv file have, as far as columns say it without a doubt."""
    marks: Counter[str] = Counter()
    for index, header in found.names.items():
        cells = Counter(_cell(row.cells[index]) for row in rows if index in row.cells)
        del cells[Kind.BLANK, ""]
        reading = reading_of(header, cells, all_text=True)
        if reading.type.is_number and any(re.search(r"[.,]", text) for _, text in cells):
            marks[reading.written.decimal] += 1
    return marks.most_common(1)[0][0] if len(marks) == 1 else None


def _refusing_odd_rows(seen: SeenSheet, found: FoundTable) -> SeenSheet:
    """The sheet with rules that make rejects of rows of totals and notes: a column that is blank there is required,
    or else the label is not allowed."""
    index = {name: i for i, name in found.names.items()}
    columns = {index[c.header]: c for c in seen.columns}
    for row in seen.odd:
        now = {c.header: c for c in seen.columns}
        blank = [now[c.header] for i, c in columns.items() if c.always_filled and i not in row.columns]
        names_above_values = row.what == THE_HEADER and any(
            c.reading.type.kind != "text" for i, c in columns.items() if i in row.columns
        )
        if names_above_values or any(c.reading.type.kind != "text" or c.required for c in blank):
            continue  # a reject as it is
        if blank:
            seen = seen.changed(blank[0].header, required=True)
        elif row.label and (column := columns.get(row.label[0])) and column.reading.type.kind == "text":
            labels = dict.fromkeys([*now[column.header].not_allowed, row.label[1]])
            seen = seen.changed(column.header, not_allowed=tuple(labels), may_be_key=False)
    return seen


def _as_key(kind: Kind, text: str, calendar: Calendar) -> str:
    number = parse_decimal(text) if kind == Kind.NUMBER else None
    return plain_text(as_excel_shows(number)) if number is not None else seen_in(kind, text, calendar).strip()


def _is_key(kind: Kind, text: str) -> bool:
    if kind == Kind.NUMBER:
        number = parse_decimal(text)
        return number is not None and number == int(number) and not is_too_long_a_key(number)
    return kind == Kind.TEXT and len(text) <= _LONGEST_KEY
