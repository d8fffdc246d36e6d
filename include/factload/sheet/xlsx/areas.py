"""The Excel tables and defined names of an .xlsx workbook.

Sources: ECMA-376 part 1, 18.5.1.2 (table), 18.2.5 (definedName).
"""

from __future__ import annotations

from factload.sheet.limits import MAX_ROWS
from factload.sheet.named_areas import DefinedName, NamedAreas, TableOfCells
from factload.sheet.sheets import SheetPart
from factload.sheet.xlsx.package import Package
from factload.sheet.xlsx.xml_parts import main_name
from factload.sheet.xml_reader import XmlReader, parse_small


def named_areas(package: Package) -> NamedAreas:
    """All of them. Raises WorkbookError for a part that is named and isn't there, or is damaged."""
    tables = [table for sheet in package.sheets for table in _tables_of(package, sheet)]
    return NamedAreas(package.sheets, tables, _names(package))


def _tables_of(package: Package, sheet: SheetPart) -> list[TableOfCells]:
    found: list[TableOfCells] = []
    for kind, part in package.relations(sheet.part).values() if sheet.part else ():
        if kind != "table":
            continue

        def note(tag: str, attributes: dict[str, str]) -> None:
            if tag == "table":
                found.append(
                    TableOfCells(
                        attributes.get("displayName") or attributes.get("name", ""),
                        sheet.name,
                        attributes.get("ref", ""),
                        _count(attributes.get("headerRowCount", "1")),
                        _count(attributes.get("totalsRowCount", "0")),
                    )
                )

        parse_small(package.small(part), note, part)
    return found


def _count(written: str) -> int:
    return min(int(written), MAX_ROWS) if written.isdecimal() and len(written) < 10 else 0


class _Names:
    """Told of the elements of a workbook's main part, it knows the names in the end."""

    def __init__(self, package: Package) -> None:
        self._sheets = package.sheets
        self.found: list[DefinedName] = []
        self._open: dict[str, str] | None = None
        self._formula: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if main_name(name) == "definedName":
            self._open, self._formula = attributes, []

    def data(self, text: str) -> None:
        if self._open is not None:
            self._formula.append(text)

    def end(self, name: str) -> None:
        if self._open is None or main_name(name) != "definedName":
            return
        local = self._open.get("localSheetId", "")
        at = int(local) if local.isdecimal() and len(local) < 10 else len(self._sheets)
        sheet = self._sheets[at].name if at < len(self._sheets) else ""
        self.found.append(DefinedName(self._open.get("name", ""), "".join(self._formula), sheet))
        self._open = None


def _names(package: Package) -> list[DefinedName]:
    names = _Names(package)
    xml = XmlReader(package.main_part, start=names.start, end=names.end, data=names.data)
    xml.feed(package.small(package.main_part), final=True)
    return names.found
