"""Workbooks in .xlsb, written record by record ([MS-XLSB] 2.1.4)."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

_TYPES = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
Cells = Sequence[str | float | tuple[float] | None]
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def xlsb(
    path: Path,
    rows: Sequence[Cells],
    *,
    merged: Sequence[tuple[int, int, int, int]] = (),
    table: tuple[str, tuple[int, int, int, int], int] | None = None,
    calculated_on_opening: bool = False,
) -> Path:
    """A workbook of one sheet, ``Facts``. A number in a tuple is a formula's; ``merged``: first row and column, last row and
    column, from 0. ``table``: its name, the same four, how many of its rows are totals."""
    sheet = _record(156, struct.pack("<II", 0, 1) + _text("rId1") + _text("Facts"))
    settings = struct.pack("<IIIdIH", 191029, 1, 100, 0.001, 1, 0x40 | calculated_on_opening)
    main = _record(131) + _record(143) + sheet + _record(144) + _record(157, settings) + _record(132)
    ranges = b"".join(
        _record(176, struct.pack("<4I", top, bottom, left, right)) for top, left, bottom, right in merged
    )
    listed = _record(177, struct.pack("<I", len(merged))) + ranges + _record(178) if merged else b""
    size = struct.pack("<4I", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)
    cells = b"".join(_row(number, row) for number, row in enumerate(rows))
    part = _record(129) + _record(148, size) + _record(145) + cells + _record(146) + listed + _record(130)
    relations = '<Relationships xmlns="{}/relationships"><Relationship Id="rId1" Type="{}/{}" Target="{}"/></Relationships>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="bin" ContentType="{_TYPES}"/></Types>',
        )
        archive.writestr(
            "_rels/.rels", relations.format(_PACKAGE, _RELATION, "officeDocument", "xl/workbook.bin")
        )
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            relations.format(_PACKAGE, _RELATION, "worksheet", "worksheets/sheet1.bin"),
        )
        if table is not None:
            name, (top, left, bottom, right), totals = table
            cells = struct.pack("<4I", top, bottom, left, right)
            head = cells + struct.pack("<4I32x", 0, 1, 1, totals) + _text("") + _text(name)
            archive.writestr("xl/tables/table1.bin", _record(343, head))
            archive.writestr(
                "xl/worksheets/_rels/sheet1.bin.rels",
                relations.format(_PACKAGE, _RELATION, "table", "../tables/table1.bin"),
            )
        archive.writestr("xl/workbook.bin", main)
        archive.writestr("xl/worksheets/sheet1.bin", part)
    return path


def _row(number: int, row: Cells) -> bytes:
    head = _record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
    return head + b"".join(_cell(column, value) for column, value in enumerate(row) if value is not None)


def _cell(column: int, value: str | float | tuple[float]) -> bytes:
    place = struct.pack("<II", column, 0)
    if isinstance(value, str):
        return _record(6, place + _text(value))
    if isinstance(value, tuple):
        formula = struct.pack("<HI", 0, 3) + struct.pack("<BH", 0x1E, 1) + struct.pack("<I", 0)  # =1
        return _record(9, place + struct.pack("<d", *value) + formula)
    return _record(5, place + struct.pack("<d", value))


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _record(kind: int, content: bytes = b"") -> bytes:
    return _short(kind) + _short(len(content)) + content


def _short(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])
