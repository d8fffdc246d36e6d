"""The Excel table in which the rows of a sheet stand, if they stand in one: its name outlasts rows put above it."""

from __future__ import annotations

from contextlib import suppress

from factload.errors import WorkbookError
from factload.propose.header import FoundTable
from factload.sheet.area import Area
from factload.sheet.choices import AreaChoice
from factload.sheet.sheets import SheetPart
from factload.sheet.source import Source
from factload.sheet.xlsx.areas import named_areas
from factload.sheet.xlsx.source import XlsxSource


def table_around(source: Source, part: SheetPart, found: FoundTable) -> tuple[str, int] | None:
    """The name of the one table whose header is the row that was found, and the number of its totals row or 0; none
    where a load would refuse it."""
    if not isinstance(source, XlsxSource):
        return None
    tables: list[tuple[str, int]] = []
    with suppress(WorkbookError):  # a damaged part of tables: the sheet is read without it
        areas = named_areas(source.package)
        for table in areas.tables or ():
            if table.sheet == part.name and table.headers == 1:
                with suppress(WorkbookError):
                    chosen = areas.chosen(AreaChoice(table=table.name)).area
                    if chosen and _holds(chosen, found):
                        tables.append((table.name, chosen.bottom if chosen.totals else 0))
    return tables[0] if len(tables) == 1 else None


def _holds(area: Area, found: FoundTable) -> bool:
    """Whether the row is its header, and most of the names are inside."""
    inside = sum(area.left <= column <= area.right for column in found.names)
    return area.top == found.row and inside * 2 > len(found.names)
