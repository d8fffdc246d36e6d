"""What an .xlsb workbook says of a sheet and calamine doesn't: tables, merged ranges, formulas whose values are stale.

Source: [MS-XLSB] 2.1.4 (record); BrtBundleSh, BrtCalcProp, BrtMergeCell, BrtBeginList, BrtRowHdr, BrtFmlaNum and
its like.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from factload.sheet.inflate import inflated
from factload.sheet.references import range_of
from factload.sheet.relations import folded, relations_in, relations_part

_MAIN = "xl/workbook.bin"
_ROW, _FORMULAS = 0, (8, 9, 10, 11)  # of a text, a number, a truth value, an error
_SHEET, _CALCULATION, _TABLE = 156, 157, 343
_NUMBER, _SETTINGS, _ID_AT = struct.Struct("<I"), struct.Struct("<24xH"), 8
_WHEN_OPENED = 0x1
# The record that opens the list, of its length, and those in it: rows and columns, first and last.
_LIST, _RANGE, _CORNERS = b"\xb1\x01\x04", b"\xb0\x01\x10", struct.Struct("<4I")
# Of a table: rows and columns, first and last; how many rows are its header and its totals; then its two names.
_OF_TABLE, _NO_NAME = struct.Struct("<4I8x2I32x"), 0xFFFFFFFF
_Place = tuple[int, int]


def tables(path: str) -> Iterator[tuple[int, str, str, int, int]]:
    """Of each table the sheet, counted from 0, its name and cells, how many rows are its header and its totals. Raises
    ValueError where the file is not as it should be."""
    with _opened(path) as parts:
        for sheet, part in enumerate(parts.sheets()):
            for kind, target in parts.relations(part).values():
                data = parts.read(target) if kind == "table" else b""
                for at in (at for record, at in _records(data) if record == _TABLE):
                    top, bottom, left, right, headers, totals = _unpacked(_OF_TABLE, data, at)
                    name, behind = _text(data, at + _OF_TABLE.size)
                    shown, _ = _text(data, behind)
                    cells = range_of(top + 1, left + 1, bottom + 1, right + 1)
                    yield sheet, shown or name, cells, headers, totals


def merged_ranges(path: str, sheet: int) -> Iterator[tuple[int, int, int, int]]:
    """First row and column, last row and column, from 1. The list stands behind the cells, whose records are many: it
    is looked for by its bytes. Raises ValueError where the file is not as it should be."""
    with _opened(path) as parts:
        data = parts.sheet(sheet)
    at = data.rfind(_LIST)
    while at >= 0:
        size = len(_RANGE) + _CORNERS.size
        begin = at + len(_LIST) + _NUMBER.size
        count = _unpacked(_NUMBER, data, at + len(_LIST))[0]
        places = range(begin, begin + count * size, size)
        if (
            count
            and places[-1] + size <= len(data)
            and all(data.startswith(_RANGE, place) for place in places)
        ):
            for place in places:
                top, bottom, left, right = _CORNERS.unpack_from(data, place + len(_RANGE))
                yield top + 1, left + 1, bottom + 1, right + 1
            return
        at = data.rfind(_LIST, 0, at)


def stale_formulas(path: str, sheet: int) -> set[_Place]:
    """The cells of a sheet that hold formulas, by row and column from 1, where all are to be calculated when the file
    is opened. Raises ValueError where the file is not as it should be."""
    with _opened(path) as parts:
        main = parts.read(_MAIN)
        settings = [at for record, at in _records(main) if record == _CALCULATION]
        if not any(_unpacked(_SETTINGS, main, at)[0] & _WHEN_OPENED for at in settings):
            return set()
        data = parts.sheet(sheet)
    row = 0
    found: set[_Place] = set()
    for record, at in _records(data):
        if record == _ROW:
            row = _unpacked(_NUMBER, data, at)[0] + 1
        elif record in _FORMULAS:
            found.add((row, _unpacked(_NUMBER, data, at)[0] + 1))
    return found


class _Parts:
    """The parts of an open workbook."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = {folded(info.filename): info for info in archive.infolist()}

    def read(self, part: str) -> bytes:
        member = self._members.get(folded(part))
        if member is None:
            raise ValueError("a part is missing")
        with inflated(self._archive, member) as stream:
            return stream.read()

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """The last word of each relation's kind, and the part that it leads to."""
        written = relations_part(part)
        return relations_in(self.read(written), part) if folded(written) in self._members else {}

    def sheets(self) -> list[str]:
        """The parts that hold the sheets, in their order."""
        main, relations = self.read(_MAIN), self.relations(_MAIN)
        found = []
        for at in (at for record, at in _records(main) if record == _SHEET):
            name, _ = _text(main, at + _ID_AT)
            found.append(relations.get(name, ("", ""))[1])
        return found

    def sheet(self, number: int) -> bytes:
        """The bytes of a sheet, counted from 0."""
        parts = self.sheets()
        if number >= len(parts):
            raise ValueError("a sheet is missing")
        return self.read(parts[number])


@contextmanager
def _opened(path: str) -> Iterator[_Parts]:
    with zipfile.ZipFile(path) as archive:
        yield _Parts(archive)


def _unpacked(layout: struct.Struct, data: bytes, at: int) -> tuple[int, ...]:
    if at + layout.size > len(data):
        raise ValueError("records break off")
    return layout.unpack_from(data, at)


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A text, "" where there is none, and where it ends."""
    [length] = _unpacked(_NUMBER, data, at)
    start = at + _NUMBER.size
    end = start if length == _NO_NAME else start + 2 * length
    return data[start:end].decode("utf-16-le"), end


def _records(data: bytes) -> Iterator[tuple[int, int]]:
    """The kind of each record, and where its content begins."""
    at = 0
    while at < len(data):
        kind, at = _short(data, at, 2)
        size, at = _short(data, at, 4)
        yield kind, at
        at += size


def _short(data: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for place in range(most):
        if at >= len(data):
            raise ValueError("records break off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    return value, at
