"""Which cells of a workbook are read, and how ambiguous ones are: as the feed declares, or their rows are rejects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from factload.sheet.names import ColumnName

Merged = Literal["reject", "blank", "repeat"]
StaleFormulas = Literal["reject", "take"]
MOST_UNPIVOTED = 2_000  # columns that become rows: so that the number of a cell has 31 bits in every sheet


@dataclass(frozen=True, slots=True)
class AreaChoice:
    """What a feed names: an Excel table, or a range by its defined name or its cells. Exactly one of them."""

    table: str | None = None
    range: str | None = None


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the data of a sheet end. ``pattern``, of the kind ``first``: the RE2 expression of the text that the first
    row behind them has in ``column``, a name or a position (A = 1; "": the first one of the header)."""

    kind: Literal["blank_row", "totals_row", "first"]
    pattern: str = ""
    column: ColumnName | int = ""


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows that are no data wherever they stand: those with a text of this RE2 expression in the column, a name or a
    position (A = 1). ``numbers``: whether a number may show such a text."""

    column: ColumnName | int
    pattern: str
    numbers: bool = True


@dataclass(frozen=True, slots=True)
class RowChoices:
    """Which rows below a header are no data. ``watched``: the columns whose cells in the totals row are asked for,
    each by its name or its position."""

    ends: Ends | None = None
    skips: tuple[Skip, ...] = ()
    watched: tuple[ColumnName | int, ...] = ()


ALL_ROWS = RowChoices()


@dataclass(frozen=True, slots=True)
class UnpivotChoice:
    """Which columns become rows: those of these names, or whose names match the RE2 ``pattern``. ``name``, ``value``
    and ``above``: by what fields call the name of such a column, what its cell holds, and what stands above its
    name ("": nothing is looked for there)."""

    columns: tuple[str, ...]
    pattern: str
    name: str
    value: str
    above: str
    keep_blanks: bool


@dataclass(frozen=True, slots=True)
class CellChoices:
    """``merged``: a cell that is merged with others and isn't the first of them. ``stale_formulas``: a formula of a
    workbook that is to be calculated anew before anybody looks at it. ``area``: the table or range that is read, where
    that is not a whole sheet. ``rows``: which of its rows are no data. ``unpivot``: which columns become rows."""

    merged: Merged = "reject"
    stale_formulas: StaleFormulas = "reject"
    area: AreaChoice | None = None
    rows: RowChoices = ALL_ROWS
    unpivot: UnpivotChoice | None = None


USUAL = CellChoices()
