"""Where a sheet has what a feed reads: its header, the column of each field, and the columns that become rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from factload.errors import WorkbookError
from factload.reasons import REASONS
from factload.sheet.block import blank_cells
from factload.sheet.choices import UnpivotChoice
from factload.sheet.codes import REASON_OF
from factload.sheet.convert import convert
from factload.sheet.dates import GREGORIAN, Calendar
from factload.sheet.field import SheetField, as_named
from factload.sheet.header import Header, find_header, place_columns
from factload.sheet.names import ColumnName, is_same, spellings
from factload.sheet.pivot import ABOVE, NAME, VALUE, Pivot, find_pivot
from factload.sheet.ranges import NO_RANGES, Ranges
from factload.sheet.references import column_letters
from factload.sheet.rows import Row


@dataclass(frozen=True, slots=True)
class Placing:
    """``fields``: each by the name that the header has; ``placed``: for each the index of its column (A = 1), or what
    stands for it where columns become rows (``pivot``)."""

    header: Header
    fields: Sequence[SheetField]
    placed: Sequence[int]
    pivot: Pivot | None = None

    @property
    def keys(self) -> list[int]:
        """The columns that are read by themselves, ascending."""
        return sorted({index for index in self.placed if index > 0})

    @property
    def columns(self) -> list[int]:
        """All columns of the sheet that are read, ascending."""
        return sorted({*self.keys, *self.pivot.columns}) if self.pivot else self.keys

    def fields_at(self, index: int) -> list[SheetField]:
        """The fields that are read from this column."""
        cell = VALUE if self.pivot and index in self.pivot.columns else index
        return [field for field, at in zip(self.fields, self.placed, strict=True) if at == cell]

    @property
    def rows_of_one(self) -> int:
        """How many rows one row of the sheet makes."""
        return len(self.pivot) if self.pivot else 1


def place_fields(
    rows: Sequence[Row],
    fields: Sequence[SheetField],
    sheet: str,
    unpivot: UnpivotChoice | None,
    merged: Callable[[int], list[str]] = lambda _: [],
    *,
    calendar: Calendar = GREGORIAN,
    place: str = "",
    ranges: Callable[[int], Ranges] = lambda _: NO_RANGES,
) -> Placing:
    """Find the header among a sheet's first ``rows``, and where it has the fields. Raises as ``find_header`` and
    ``place_columns`` do, and WorkbookError ``unpivot_unfit``. ``ranges``: the merged ones that reach a row, or rows
    below it."""
    names = header_names(fields, unpivot)
    header = find_header(rows, names, sheet, merged, calendar=calendar, place=place)
    if unpivot is None:
        return Placing(header, as_named(fields, header), place_columns(header, names, sheet))
    stands_for = [stand_in(field, unpivot) for field in fields]
    own = [field for field, stand in zip(fields, stands_for, strict=True) if stand is None]
    columns = place_columns(header, [field.names for field in own], sheet)
    found = zip(as_named(own, header), columns, strict=True)
    pivot = find_pivot(unpivot, header, rows, columns, sheet, calendar, ranges)
    placed = [
        next(found) if stand is None else (field if stand == VALUE else _of_names(field), stand)
        for field, stand in zip(fields, stands_for, strict=True)
    ]
    for field, stand in placed:
        if stand in (NAME, ABOVE):
            _require_values(field, pivot, stand, header, sheet, calendar)
    return Placing(header, [field for field, _ in placed], [index for _, index in placed], pivot)


def header_names(fields: Sequence[SheetField], unpivot: UnpivotChoice | None) -> list[ColumnName]:
    """What a header must hold."""
    if unpivot is None:
        return [field.names for field in fields]
    own = [field.names for field in fields if stand_in(field, unpivot) is None]
    return [*own, *unpivot.columns]


def stand_in(field: SheetField, unpivot: UnpivotChoice) -> int | None:
    """What stands for the field's column where columns become rows; None for one that the sheet has."""
    kinds = ((unpivot.name, NAME), (unpivot.above, ABOVE), (unpivot.value, VALUE))
    for name, stand in kinds:
        if name and any(is_same(name, spelling) for spelling in spellings(field.names)):
            return stand
    return None


def _of_names(field: SheetField) -> SheetField:
    """The field as it is read from names, which are texts as a csv file's values are."""
    return replace(field, parse_text=True)


def _require_values(
    field: SheetField, pivot: Pivot, stand: int, header: Header, sheet: str, calendar: Calendar
) -> None:
    """Raise where a column's name is no value of the field's type: no row of it could be loaded."""
    cells, names = pivot.cells[stand], pivot.names if stand == NAME else pivot.above
    _, codes = convert(cells, blank_cells(cells), field, calendar=calendar)
    bad = np.flatnonzero(codes)
    if len(bad):
        first = int(bad[0])
        raise WorkbookError(
            "unpivot_unfit",
            f"Sheet {sheet!r} has {names[first]!r} as the name of column {column_letters(pivot.columns[first])}, row "
            f"{header.row}, which becomes {field.column!r} of its rows: {REASONS[REASON_OF[int(codes[first])]]}",
            expected=f"names that are values of {field.type}",
            remedy="Correct the header, or the type and format of the column in the feed file",
        )
