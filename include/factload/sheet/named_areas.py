"""Which cells the tables and names of a workbook mean, and what a feed's choice among them comes to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from factload.errors import WorkbookError, did_you_mean
from factload.sheet.area import Area
from factload.sheet.choices import AreaChoice
from factload.sheet.limits import MAX_COLUMNS, MAX_ROWS
from factload.sheet.references import column_index, corners, range_of
from factload.sheet.sheets import SheetPart

_LISTED = 20
_HIDDEN = "_xlnm."  # what Excel itself names: print areas, filters
_QUALIFIED = re.compile(
    r"(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^'!\[\](),:\s]+))!(?P<cells>[^!]+)", re.DOTALL
)
_COLUMNS = re.compile(r"\$?([A-Za-z]{1,3}):\$?([A-Za-z]{1,3})")
_ROWS = re.compile(r"\$?([0-9]{1,7}):\$?([0-9]{1,7})")


@dataclass(frozen=True, slots=True)
class TableOfCells:
    """An Excel table (a ListObject): its name, its sheet's name, its cells, how many rows are header and totals."""

    name: str
    sheet: str
    cells: str
    headers: int
    totals: int


@dataclass(frozen=True, slots=True)
class DefinedName:
    """A name that the workbook gives to a formula, as a rule a range. ``sheet``: the one that it is for, or ""."""

    name: str
    formula: str
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class NamedAreas:
    """What a workbook names. ``tables``: None where its kind of file has none that are known."""

    sheets: Sequence[SheetPart]
    tables: Sequence[TableOfCells] | None
    names: Sequence[DefinedName]

    def chosen(self, choice: AreaChoice) -> SheetPart:
        """The sheet that holds the chosen area, with it. It may be hidden, since it is named.

        Raises ``WorkbookError``: ``excel_table_missing``, ``table_without_header``, ``range_missing``,
        ``range_unfit``, ``area_overlaps``.
        """
        if choice.table is not None:
            part, area = self._table(choice.table)
        else:
            part, area = self._range(choice.range or "")
        self._require_whole_tables(part.name, area, by_name=choice.table is not None)
        if part.kind not in ("worksheet", "unknown"):
            raise _unfit(area.title, "is on a sheet without cells")
        return replace(part, state="visible", area=area)

    def cell(self, written: str) -> tuple[SheetPart, int, int]:
        """The sheet, row and column (A = 1) of one cell, by its name or as ``Cover!B3``. Raises ``WorkbookError``."""
        part, area = self._located(written, f"cell {written.strip()!r}")
        if (area.top, area.left) != (area.bottom, area.right):
            raise WorkbookError(
                "range_unfit",
                f"The {area.title} is more than one cell, {area.reference} of sheet {part.name!r}",
                expected="one cell, such as Cover!B3",
                remedy="Correct the feed file, or the name in the workbook",
            )
        return part, area.top, area.left

    def _table(self, name: str) -> tuple[SheetPart, Area]:
        if self.tables is None:
            raise WorkbookError(
                "excel_table_missing",
                f"Of this kind of workbook the tables are not known, and the feed asks for table {name!r}",
                expected="an .xlsx, .xlsm or .xlsb workbook",
                remedy="Save it as .xlsx, or name the cells with `workbook.range`",
            )
        found = [table for table in self.tables if table.name.casefold() == name.strip().casefold()]
        if len(found) != 1:
            there = [f"{table.name!r} ({table.sheet} {table.cells})" for table in self.tables]
            seen = "has two tables" if found else "has no table"
            raise WorkbookError(
                "excel_table_missing",
                f"The workbook {seen} {name!r}; it has {_listed(there)}",
                remedy=_near(name, [table.name for table in self.tables])
                + "Correct `workbook.table` in the feed file, or ask for the table",
            )
        area = _area_of(found[0])
        if found[0].headers != 1:
            raise WorkbookError(
                "table_without_header",
                f"The {area.title} ({found[0].sheet} {area.reference}) has no header row",
                expected="the names of its columns in its first row",
                remedy="Turn on Header Row in the table's design in Excel",
            )
        if found[0].totals > 1:
            raise _unfit(area.title, f"has {found[0].totals:,} totals rows")
        return self._sheet(found[0].sheet, area.title), area

    def _range(self, written: str) -> tuple[SheetPart, Area]:
        part, area = self._located(written, f"range {written.strip()!r}")
        if area.top == area.bottom:
            raise _unfit(area.title, f"is a single row, {area.reference}")
        own = [table for table in self.tables or () if _is_one(table.sheet, part.name)]
        same = [table.totals for table in own if area.has_rows_of(_area_of(table))]
        return part, replace(area, totals=max(same, default=0))

    def _located(self, written: str, title: str) -> tuple[SheetPart, Area]:
        """Which cells a name or an address means."""
        qualified = _QUALIFIED.fullmatch(written.strip())
        if qualified is not None and _rectangle(qualified["cells"]) is not None:
            return self._addressed(qualified, title)
        if qualified is not None:
            named = self._named(
                qualified["cells"], written, lambda sheet: _is_one(sheet, _sheet_in(qualified))
            )
        else:
            named = self._named(written.strip(), written, lambda _: True)
        means = _QUALIFIED.fullmatch(named.formula.strip().removeprefix("="))
        if means is None or _rectangle(means["cells"]) is None:
            raise _unfit(title, "is not one rectangle of cells")
        return self._addressed(means, title)

    def _named(self, name: str, written: str, is_of: Callable[[str], bool]) -> DefinedName:
        found = [d for d in self.names if d.name.casefold() == name.casefold() and is_of(d.sheet)]
        # One for the whole workbook counts before those of single sheets.
        found = [d for d in found if not d.sheet] or found
        if len(found) == 1:
            return found[0]
        known = [d for d in self.names if not d.name.startswith(_HIDDEN)]
        seen = f"names {written!r} more than once" if found else f"has no range {written!r}"
        there = [f"{d.sheet}!{d.name}" if d.sheet else d.name for d in known]
        raise WorkbookError(
            "range_missing",
            f"The workbook {seen}; it names {_listed(there)}",
            expected="a defined name, SHEET!NAME, or cells such as Sheet1!B4:H9000",
            remedy=_near(name, [d.name for d in known]) + "Correct the feed file, or ask for the name",
        )

    def _addressed(self, written: re.Match[str], title: str) -> tuple[SheetPart, Area]:
        part = self._sheet(_sheet_in(written), title)
        rectangle = _rectangle(written["cells"])
        if rectangle is None:
            raise _unfit(title, "is not one rectangle of cells")
        area = Area(title, *rectangle)
        if area.bottom > MAX_ROWS or area.right > MAX_COLUMNS or not area.top:
            raise _unfit(title, "reaches beyond the cells that a sheet has")
        return part, area

    def _sheet(self, name: str, title: str) -> SheetPart:
        found = [part for part in self.sheets if _is_one(part.name, name)]
        exact = [part for part in found if part.name == name]
        if len(exact or found) != 1:
            there = _listed([repr(part.name) for part in self.sheets])
            raise WorkbookError(
                "sheet_missing",
                f"The workbook has no sheet {name!r}, of which the {title} is; it has {there}",
                remedy="Correct the feed file, or ask for the sheet",
            )
        return (exact or found)[0]

    def _require_whole_tables(self, sheet: str, area: Area, *, by_name: bool) -> None:
        """Of a table that another overlaps it can't be told whose the rows are; a range may not end within a table."""
        for table in self.tables or ():
            other = _area_of(table)
            if table.sheet != sheet or other.title == area.title or not area.meets(other):
                continue
            if not by_name and area.top <= other.top and area.bottom >= other.last_row:
                continue
            raise WorkbookError(
                "area_overlaps",
                f"The {area.title} ({area.reference} of sheet {sheet!r}) holds a part of the {other.title}, "
                f"{other.reference}",
                expected="all rows of a table, or none of them",
                remedy=f"Name the table (`workbook.table: {table.name}`), or correct the range",
            )


def no_areas() -> WorkbookError:
    """The refusal of a csv file, of which a feed wants a part."""
    return WorkbookError(
        "excel_table_missing",
        "The file is a csv file, which has neither tables nor ranges",
        expected="a workbook with the table or range that the feed names",
        remedy="Deliver a workbook, or take `workbook.table` or `workbook.range` out of the feed file",
    )


def _area_of(table: TableOfCells) -> Area:
    rectangle = _rectangle(table.cells)
    title = f"table {table.name!r}"
    if rectangle is None:
        raise _unfit(title, "has no cells that can be read")
    return Area(title, *rectangle, totals=min(table.totals, 1), table=True)


def _rectangle(cells: str) -> tuple[int, int, int, int] | None:
    """The corners of a range as it is written; whole columns and rows are as long as a sheet."""
    cells = cells.strip()
    if match := _COLUMNS.fullmatch(cells):
        left, right = sorted(map(column_index, match.groups()))
        return 1, left, MAX_ROWS, right
    if match := _ROWS.fullmatch(cells):
        top, bottom = sorted(map(int, match.groups()))
        return top, 1, bottom, MAX_COLUMNS
    return corners(cells)


def _sheet_in(written: re.Match[str]) -> str:
    return written["plain"] or written["quoted"].replace("''", "'")


def _is_one(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()


def _unfit(title: str, what: str) -> WorkbookError:
    return WorkbookError(
        "range_unfit",
        f"The {title} {what}",
        expected=f"one rectangle with the names of its columns in its first row, such as {range_of(4, 2, 9000, 8)}",
        remedy="Correct the feed file, or the name in the workbook",
    )


def _listed(there: Sequence[str]) -> str:
    more = f" and {len(there) - _LISTED:,} more" if len(there) > _LISTED else ""
    return (", ".join(there[:_LISTED]) or "none") + more


def _near(name: str, known: Sequence[str]) -> str:
    meant = did_you_mean(name, known)
    return f"{meant} " if meant else ""
