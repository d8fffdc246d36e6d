"""What an .xlsb workbook says of a sheet and calamine doesn't: merged ranges, formulas whose values are out of date.

Source: [MS-XLSB] 2.1.4 (record), and there BrtBundleSh, BrtCalcProp, BrtMergeCell, BrtRowHdr, BrtFmlaNum and its like.
"""

from __future__ import annotations

import posixpath
import struct
import zipfile
from collections.abc import Iterator

from factload.sheet.inflate import inflated
from factload.sheet.xml_reader import XmlReader

_MAIN, _RELATIONS = "xl/workbook.bin", "xl/_rels/workbook.bin.rels"
_ROW, _FORMULAS = 0, (8, 9, 10, 11)  # of a text, a number, a truth value, an error
_SHEET, _CALCULATION = 156, 157
_NUMBER, _ID, _SETTINGS, _WHEN_OPENED = (
    struct.Struct("<I"),
    struct.Struct("<8xI"),
    struct.Struct("<24xH"),
    0x1,
)
# The record that opens the list, of its length, and those in it: rows and columns, first and last.
_LIST, _RANGE, _CORNERS = b"\xb1\x01\x04", b"\xb0\x01\x10", struct.Struct("<4I")
_Place = tuple[int, int]


def merged_ranges(path: str, sheet: int) -> Iterator[tuple[int, int, int, int]]:
    """First row and column, last row and column, from 1. The list stands behind the cells, whose records are many: it
    is looked for by its bytes. Raises ValueError where the file is not as it should be."""
    data = _part(path, sheet)
    at = data.rfind(_LIST)
    while at >= 0:
        size = len(_RANGE) + _CORNERS.size
        begin = at + len(_LIST) + _NUMBER.size
        count = _first(_NUMBER, data, at + len(_LIST))
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
    with zipfile.ZipFile(path) as archive:
        main = _read(archive, _MAIN)
    settings = [at for record, at in _records(main) if record == _CALCULATION]
    if not any(_first(_SETTINGS, main, at) & _WHEN_OPENED for at in settings):
        return set()
    data, row = _part(path, sheet), 0
    found: set[_Place] = set()
    for record, at in _records(data):
        if record == _ROW:
            row = _first(_NUMBER, data, at) + 1
        elif record in _FORMULAS:
            found.add((row, _first(_NUMBER, data, at) + 1))
    return found


def _part(path: str, sheet: int) -> bytes:
    """The bytes of a sheet, counted from 0."""
    targets: dict[str, str] = {}

    def note(_: str, attributes: dict[str, str]) -> None:
        target = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "")))
        targets[attributes.get("Id", "")] = target.lstrip("/").lower()

    with zipfile.ZipFile(path) as archive:
        XmlReader(_RELATIONS, start=note).feed(_read(archive, _RELATIONS), final=True)
        main = _read(archive, _MAIN)
        sheets = [at for record, at in _records(main) if record == _SHEET]
        if sheet >= len(sheets):
            raise ValueError("a sheet is missing")
        length, start = _first(_ID, main, sheets[sheet]), sheets[sheet] + _ID.size
        return _read(archive, targets.get(main[start : start + 2 * length].decode("utf-16-le"), ""))


def _read(archive: zipfile.ZipFile, part: str) -> bytes:
    names = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
    if part not in names:
        raise ValueError("a part is missing")
    with inflated(archive, archive.getinfo(names[part])) as stream:
        return stream.read()


def _first(layout: struct.Struct, data: bytes, at: int) -> int:
    if at + layout.size > len(data):
        raise ValueError("records break off")
    return int(layout.unpack_from(data, at)[0])


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
