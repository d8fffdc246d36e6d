"""Which cells of an .ods sheet are merged.

OpenDocument 1.3 part 3, 9.1.4: the first of the cells says how many rows and columns it spans, those that it covers
are written all the same.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

from factload.sheet.calamine.ods_content import CONTENT, TABLE, content_of, times
from factload.sheet.limits import MAX_COLUMNS, MAX_ROWS
from factload.sheet.ranges import RangeList
from factload.sheet.workbook_file import WorkbookFile
from factload.sheet.xml_reader import XmlReader

_SAYING = b"spanned"


def note_merged(file: WorkbookFile, sheet: int, found: RangeList) -> None:
    """Note the merged ranges of a sheet, counted from 0, whose content is known to be well-formed."""
    # Most sheets say nothing: a look at the bytes is far quicker.
    if any(map(_says_something, _pairs(_chunks(file)))):
        reader = _Tables(sheet, found)
        xml = XmlReader(CONTENT, start=reader.start, end=reader.end)
        for data in _chunks(file):
            xml.feed(data)


def _chunks(file: WorkbookFile) -> Iterator[bytes]:
    with zipfile.ZipFile(file.stream()) as archive:
        yield from content_of(archive)


def _pairs(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Each chunk with the end of the one before."""
    before = b""
    for chunk in chunks:
        yield before + chunk
        before = chunk[-len(_SAYING) :]


def _says_something(data: bytes) -> bool:
    return _SAYING in data or b"\0" in data  # or it is in UTF-16


class _Tables:
    """Where the cells of one table stand."""

    def __init__(self, wanted: int, found: RangeList) -> None:
        self._wanted, self._found = wanted, found
        self._table, self._depth = -1, 0  # a table may stand within a cell of another
        self._row, self._rows, self._column = 1, 0, 1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.removeprefix(TABLE)
        if tag == name:
            return
        if tag == "table":
            self._table += self._depth == 0
            self._depth += 1
            if self._depth == 1:
                self._row, self._rows, self._column = 1, 0, 1
        elif self._depth != 1 or self._table != self._wanted:
            return
        elif tag == "table-row":
            self._row, self._column = self._row + self._rows, 1
            self._rows = times(attributes, "number-rows-repeated", MAX_ROWS)
        elif tag in ("table-cell", "covered-table-cell"):
            self._cell(attributes)

    def end(self, name: str) -> None:
        self._depth -= name == TABLE + "table"

    def _cell(self, attributes: dict[str, str]) -> None:
        repeated = times(attributes, "number-columns-repeated", MAX_COLUMNS)
        high = times(attributes, "number-rows-spanned", MAX_ROWS)
        wide = times(attributes, "number-columns-spanned", MAX_COLUMNS)
        if high > 1 or wide > 1:
            for top in range(self._row, self._row + self._rows):
                for left in range(self._column, self._column + repeated):
                    self._found.add(top, left, top + high - 1, left + wide - 1)
        self._column = min(self._column + repeated, MAX_COLUMNS)
