"""Columns that are periods: a sheet with a column for each month becomes one with a row for each.

Months, quarters, weeks or years as names of three or more columns of numbers; or names that come again below others in
the row above: the months of several years, plan and actual of each month.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from factload.propose.column_types import Reading
from factload.propose.columns_seen import SeenColumn, read_as
from factload.propose.names import unused
from factload.propose.period_names import (
    FINEST_FIRST,
    PeriodName,
    day_named,
    is_sum_of_periods,
    is_whole_year,
    month_format,
    pattern_of,
    period_named,
    periods_named,
)
from factload.propose.sheet_seen import SeenSheet, SeenUnpivot
from factload.sheet.block import Kind
from factload.sheet.choices import MOST_UNPIVOTED
from factload.sheet.names import as_seen, whole_pattern
from factload.sheet.pivot import shown_above
from factload.sheet.text_format import TextFormat
from factload.sql_types import SqlType
from factload.vectors import matches, texts

_FEWEST = 3  # columns: of two periods the columns may as well be two measures
_VALUE, _GROUP, _MEASURE = "amount", "group", "measure"
_SUM = "it is called like a sum of the columns that become rows"


def with_periods_as_rows(seen: SeenSheet, above: Mapping[int, str]) -> SeenSheet:
    """The sheet with its periods as rows; the same where it has none. ``above``: the row right above the header."""
    return _repeated_names(seen, above) or _names_of_periods(seen) or seen


def _names_of_periods(seen: SeenSheet) -> SeenSheet | None:
    """Where the names of three or more columns of numbers are periods of one kind."""
    named = periods_named([c.header for c in seen.columns if _holds_numbers(c)])
    for kind in FINEST_FIRST:
        columns = [c for c in seen.columns if c.header in named and named[c.header].kind == kind]
        periods = [named[c.header] for c in columns]
        if len(columns) >= _FEWEST and len({p.told for p in periods}) == len(columns) <= MOST_UNPIVOTED:
            return _as_rows(seen, columns, kind, periods, named)
    return None


def _as_rows(
    seen: SeenSheet,
    columns: Sequence[SeenColumn],
    kind: str,
    periods: Sequence[PeriodName],
    named: Mapping[str, PeriodName],
) -> SeenSheet | None:
    names = [c.header for c in columns]
    others = [c for c in seen.columns if c.header not in names]
    sums = {
        c.header for c in others if c.header in named or (is_sum_of_periods(c.header) and _holds_numbers(c))
    }
    keys = [c for c in others if c.header not in sums]
    if not keys:
        return None
    pattern = None
    if not is_whole_year(names):
        pattern = pattern_of(names)
    if pattern and any(fits(c.header, pattern) for c in others):
        pattern = None
    name, value = _free_names(seen, kind, _VALUE)
    unpivot = SeenUnpivot(seen, tuple(names), pattern, name, value)
    made = [_named_column(name, kind, columns, names), _value_column(value, columns, seen)]
    return _pivoted(seen, unpivot, keys, made, dict.fromkeys(sums, _SUM), len(columns))


def _repeated_names(seen: SeenSheet, above: Mapping[int, str]) -> SeenSheet | None:
    """Where names come again, each time below another name."""
    columns = [c for c in seen.doubled if _holds_numbers(c)]
    if len(columns) < max(_FEWEST, len(seen.doubled)) or not seen.columns:
        return None
    upper = shown_above([column.index for column in columns], above)
    lower = [c.header for c in columns]
    if (
        not all(upper)
        or len(set(zip(upper, lower, strict=True))) < len(columns)
        or len(columns) > MOST_UNPIVOTED
    ):
        return None
    lower_kind = _kind_of(lower) or _MEASURE
    upper_kind = _kind_of(upper) or _GROUP
    if lower_kind == upper_kind:
        return None
    name, value, over = _free_names(seen, lower_kind, _VALUE, upper_kind)
    doubled = {c.header for c in columns}
    plain = replace(seen, doubled=())
    unpivot = SeenUnpivot(plain, tuple(dict.fromkeys(lower)), None, name, value, over)
    made = [
        _named_column(over, upper_kind, columns, upper, "what stands above the name of the column"),
        _named_column(name, lower_kind, columns, lower),
        _value_column(value, columns, seen),
    ]
    sums = {c.header for c in seen.columns if is_sum_of_periods(c.header) and _holds_numbers(c)}
    keys = [c for c in seen.columns if c.header not in sums]
    left_out = {h: why for h, why in seen.left_out.items() if h not in doubled}
    if not keys:
        return None
    seen = replace(seen, left_out=left_out)
    return _pivoted(seen, unpivot, keys, made, dict.fromkeys(sums, _SUM), len(columns))


def _pivoted(
    seen: SeenSheet,
    unpivot: SeenUnpivot,
    keys: Sequence[SeenColumn],
    made: Sequence[SeenColumn],
    left_out: Mapping[str, str],
    times: int,
) -> SeenSheet:
    return replace(
        seen,
        columns=(*(_repeated(c, times) for c in keys), *made),
        left_out={**seen.left_out, **left_out},
        doubled=(),
        unpivot=unpivot,
    )


def _repeated(column: SeenColumn, times: int) -> SeenColumn:
    """A column that stands beside the periods, and so in every row that is made of one of the sheet."""
    cells = Counter({cell: n * times for cell, n in column.cells.items()})
    column = replace(column, rows=column.rows * times, cells=cells)
    if not column.reading.type.is_number:
        return column
    note = "stands in each row that is made of one of the sheet: its sum counts it as often"
    return replace(column, reading=replace(column.reading, notes=(*column.reading.notes, note)))


def _named_column(
    called: str,
    kind: str,
    columns: Sequence[SeenColumn],
    names: Sequence[str],
    where: str = "the name of the column",
) -> SeenColumn:
    """The names of the columns, as a column with one of them in each row."""
    cells: Counter[tuple[Kind, str]] = Counter()
    for column, name in zip(columns, names, strict=True):
        cells[Kind.TEXT, name] += column.cells.total()
    reading = Reading(SqlType("text"), notes=(f"{where}: a {kind}",))
    if all(map(day_named, names)):
        reading = replace(reading, type=SqlType("date"))
    elif kind == "month" and (form := month_format(names)):
        notes = (*reading.notes, "its first day")
        reading = Reading(SqlType("date"), written=TextFormat(date=form), notes=notes)
    elif kind == "year" and all(name.isdigit() for name in names):
        reading = replace(reading, type=SqlType("integer", bits=32))
    return SeenColumn(called, cells.total(), cells, reading, columns[0].calendar, may_be_key=False)


def _value_column(called: str, columns: Sequence[SeenColumn], seen: SeenSheet) -> SeenColumn:
    """All that stands in the columns, as one."""
    cells: Counter[tuple[Kind, str]] = sum((c.cells for c in columns), Counter())
    cells, reading = read_as(called, cells, all_text=seen.csv is not None, decimal=seen.decimal)
    return SeenColumn(called, cells.total(), cells, reading, columns[0].calendar, may_be_key=False)


def _free_names(seen: SeenSheet, *wanted: str) -> list[str]:
    taken = [as_seen(c.header).casefold() for c in (*seen.columns, *seen.doubled)]
    found: list[str] = []
    for name in wanted:
        found.append(unused(name, [*taken, *found]))
    return found


def _kind_of(names: Sequence[str]) -> str | None:
    kinds = {found.kind if (found := period_named(name)) else None for name in names}
    return kinds.pop() if len(kinds) == 1 else None


def _holds_numbers(column: SeenColumn) -> bool:
    """Whether a period's column holds numbers, if it holds anything: in most cells, as others may be rejects."""
    typed = sum(n for (kind, _), n in column.cells.items() if kind == Kind.NUMBER)
    return column.reading.type.is_number or 2 * typed >= column.cells.total()


def fits(name: str, pattern: str) -> bool:
    """Whether the whole name matches the pattern, as a feed has it."""
    return bool(matches(texts([name]), whole_pattern(pattern))[0])
