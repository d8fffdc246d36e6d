"""The tables of an .ods workbook, read from its content as a stream: their names, their rows, the names of ranges.

Source: OpenDocument 1.3 part 3, table:table, table:table-row, table:named-range, style:table-properties.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from factload.sheet.calamine.cell_values import BLANK, Held
from factload.sheet.calamine.ods_cells import OdsCell
from factload.sheet.calamine.ods_content import CONTENT, TABLE, content_of, times
from factload.sheet.calamine.refused import Refused
from factload.sheet.limits import MAX_COLUMNS, MAX_ROWS
from factload.sheet.xml_reader import XmlReader

_STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0 "
_CELLS = (TABLE + "table-cell", TABLE + "covered-table-cell")
_LINK = TABLE + "dde-link"  # tables of other documents, as they were
# Of a named range its cells, of a named expression its formula.
_NAMED = {TABLE + "named-range": "cell-range-address", TABLE + "named-expression": "expression"}
Cells = list[Held | str]
Row = tuple[int, Cells]


class OdsTables:
    """An .ods workbook whose content is known to be well-formed. ``most_chars``: of a cell's text."""

    def __init__(self, path: str, most_chars: int) -> None:
        self._path, self._most_chars = Path(path), most_chars

    def sheets(self) -> list[tuple[str, str, str]]:
        """Of each sheet its name, whether it is hidden, and its kind."""
        found = self._named()
        return [
            (name, "Hidden" if style in found.hidden else "Visible", "WorkSheet")
            for name, style in found.sheets
        ]

    def names(self) -> list[tuple[str, str, str]]:
        """Each name of a range or a formula, what it stands for, and the sheet that it is for, or ""."""
        return self._named().names

    def rows(self, sheet: int, cells: int, file_cells: int) -> Iterator[Row]:
        """The rows of a sheet (counted from 0) that hold anything: number, and the kind and text of each cell from
        column A on, "" for a blank one. Raises ``Refused`` for a sheet of more than so many cells, empty ones too, and
        for a text that is too long."""
        found, widest = _Rows(sheet, self._most_chars), 0
        for _ in self._fed(XmlReader(CONTENT, start=found.start, end=found.end, data=found.data)):
            for first, repeated, held in found.taken():
                widest = max(widest, len(held))
                for number in range(first, first + repeated):
                    if number * widest > min(cells, file_cells):
                        raise Refused("cells" if number * widest > cells else "cells_per_byte")
                    yield number, held
            if found.done:
                return

    def _named(self) -> _Names:
        found = _Names()
        for _ in self._fed(XmlReader(CONTENT, start=found.start, end=found.end)):
            pass
        return found

    def _fed(self, xml: XmlReader) -> Iterator[None]:
        """Once after each piece that the reader was fed."""
        with zipfile.ZipFile(self._path) as archive:
            for data in content_of(archive):
                xml.feed(data)
                yield


class _Names:
    """Told of all elements, it knows the sheets, which styles hide them, and what has a name."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.hidden: set[str] = set()
        self.names: list[tuple[str, str, str]] = []
        self._style, self._depth, self._linked = "", 0, 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == TABLE + "table":
            self._depth += 1
            if self._depth == 1 and not self._linked:
                self.sheets.append(
                    (attributes.get(TABLE + "name", ""), attributes.get(TABLE + "style-name", ""))
                )
        elif name in _NAMED:
            of = self.sheets[-1][0] if self._depth and self.sheets else ""
            self.names.append(
                (attributes.get(TABLE + "name", ""), attributes.get(TABLE + _NAMED[name], ""), of)
            )
        elif name == _STYLE + "style":
            self._style = attributes.get(_STYLE + "name", "")
        elif name == _STYLE + "table-properties" and attributes.get(TABLE + "display") == "false":
            self.hidden.add(self._style)
        elif name == _LINK:
            self._linked += 1

    def end(self, name: str) -> None:
        self._depth -= name == TABLE + "table"
        self._linked -= name == _LINK


class _Rows:
    """Told of all elements and characters, it knows the rows of one table as they end."""

    def __init__(self, wanted: int, most_chars: int) -> None:
        self._wanted, self._most_chars = wanted, most_chars
        self._table, self._depth = -1, 0  # a table may stand within a drawing of another
        self._next, self._repeated = 1, 1
        self._cells: Cells = []
        self._blank = 0  # cells that come before the next one that holds anything
        self._cell: OdsCell | None = None
        self._cell_repeated = 1
        self._found: list[tuple[int, int, Cells]] = []
        self.done = False

    def taken(self) -> list[tuple[int, int, Cells]]:
        """The rows that ended since they were last taken: number, how many times it is there, cells."""
        found, self._found = self._found, []
        return found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._cell is not None:
            self._cell.start(name, attributes)
        elif name == TABLE + "table":
            self._table += self._depth == 0
            self._depth += 1
        elif self._depth != 1 or self._table != self._wanted:
            return
        elif name in _CELLS:
            self._cell_repeated = times(attributes, "number-columns-repeated", MAX_COLUMNS + 1)
            self._cell = OdsCell(attributes, self._most_chars)
        elif name == TABLE + "table-row":
            self._repeated = times(attributes, "number-rows-repeated", MAX_ROWS + 1)
            self._cells, self._blank = [], 0

    def data(self, text: str) -> None:
        if self._cell is not None:
            self._cell.data(text)

    def end(self, name: str) -> None:
        if self._cell is not None and self._cell.depth:
            self._cell.end()
        elif self._cell is not None:
            self._take(self._cell)
            self._cell = None
        elif name == TABLE + "table":
            self._depth -= 1
            self.done = self.done or (self._depth == 0 and self._table == self._wanted)
        elif name == TABLE + "table-row" and self._depth == 1 and self._table == self._wanted:
            if self._cells:
                self._found.append((self._next, self._repeated, self._cells))
            self._next += self._repeated

    def _take(self, cell: OdsCell) -> None:
        held = cell.held
        if held[0] == BLANK:
            self._blank += self._cell_repeated
            return
        room = max(0, MAX_COLUMNS - len(self._cells))
        self._cells += [""] * min(self._blank, room)
        room = max(0, MAX_COLUMNS - len(self._cells))
        self._cells += [held] * min(self._cell_repeated, room)
        self._blank = 0
