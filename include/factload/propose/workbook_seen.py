"""What was seen in the workbook: which sheet has the rows, its columns, and their values.

All rows of a small sheet are looked at, and the first ones of a big one; ``tried`` reads the rest as a load does.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from factload.errors import WorkbookError
from factload.propose.areas_seen import table_around
from factload.propose.attributes_seen import attributes_of
from factload.propose.columns_seen import columns_of, decimal_mark
from factload.propose.csv_seen import SeenCsv
from factload.propose.header import ROWS_LOOKED_AT, FoundTable, find_table, last_names
from factload.propose.left_out import rows_left_out
from factload.propose.odd_rows import THE_HEADER, odd_rows
from factload.propose.sheet_seen import SeenSheet
from factload.propose.signs_seen import with_signs_noted
from factload.propose.unpivot_seen import with_periods_as_rows
from factload.propose.witness_seen import witness_in_cell, witness_in_totals
from factload.sheet.block import Kind
from factload.sheet.choices import AreaChoice, CellChoices
from factload.sheet.dates import Calendar
from factload.sheet.rows import Row
from factload.sheet.sheets import SheetPart, choose
from factload.sheet.source import Source, open_source

_CELLS_LOOKED_AT = 400_000
_ROWS_FOR_TOTALS = 100_000  # further down a table's totals row isn't looked for


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
            return _witnessed(replace(_looked_at(source, part, found, path, csv), others=others), path)
        called, totals_row = table
        totals = _row(source, part, totals_row) if 0 < totals_row <= _ROWS_FOR_TOTALS else {}
    with open_source(path, cells=CellChoices(area=AreaChoice(table=called))) as source:
        [part] = source.sheets
        seen = _looked_at(source, part, _table_on(source, part) or found, path, csv)
    if totals and seen.whole:
        seen = replace(seen, witness=witness_in_totals(seen, totals))
    return _witnessed(replace(seen, others=others, table=called), path)


def _witnessed(seen: SeenSheet, path: Path) -> SeenSheet:
    """The sheet with what the workbook's other sheets say of it, if its own rows don't."""
    if seen.witness or not seen.whole or not seen.others:
        return seen
    with open_source(path) as source:
        others = ((s.name, _first_rows(source, s)) for s in source.sheets if _may_be_cover(s, seen))
        return replace(seen, witness=witness_in_cell(seen, others))


def _may_be_cover(part: SheetPart, seen: SeenSheet) -> bool:
    return part.kind == "worksheet" and part.state == "visible" and part.name in seen.others


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
    return find_table(_first_rows(source, part), part.name, source.calendar)


def _row(source: Source, part: SheetPart, number: int) -> Mapping[int, tuple[Kind, str]]:
    """The cells of one row."""
    with closing(_generator(source.all_rows(part))) as rows:
        return next((row.cells for row in rows if row.number >= number), {})


def _first_rows(source: Source, part: SheetPart) -> list[Row]:
    with closing(_generator(source.all_rows(part))) as rows:
        return list(islice(rows, ROWS_LOOKED_AT))


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
    decimal = decimal_mark(found, data) if csv else None
    columns, doubled, left_out = columns_of(found, data, calendar, all_text=csv is not None, decimal=decimal)
    columns = with_signs_noted(columns)
    leaves = rows_left_out(found, odd, data, whole=whole)
    odd = tuple(row for row in odd if row.number not in leaves.rows)
    seen = SeenSheet(
        name,
        (),
        found.row,
        columns,
        left_out,
        odd,
        len(rows),
        csv,
        decimal,
        whole,
        leaves=leaves,
        first_header=found.names[min(found.names)],
        doubled=doubled,
        attributes=attributes_of(columns, data),
    )
    seen = with_periods_as_rows(_refusing_odd_rows(seen), found.above)
    totals = next((row.cells for row in rows if row.number == leaves.totals), None)
    return replace(seen, witness=witness_in_totals(seen, totals)) if totals and whole else seen


def _refusing_odd_rows(seen: SeenSheet) -> SeenSheet:
    """The sheet with rules that make rejects of rows of totals and notes: a column that is blank there is required,
    or else the label is not allowed."""
    columns = {c.index: c for c in seen.columns}
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
