"""What a sheet holds before its rows are read: the header row, where each mapped column stands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from factload.errors import WorkbookError
from factload.sheet.block import Kind
from factload.sheet.cells import Row, SheetParser, column_letters, iterate
from factload.sheet.limits import Limits
from factload.sheet.package import Package
from factload.sheet.sheets import SheetPart
from factload.sheet.strings_table import SharedStrings
from factload.sheet.xml_parts import XmlReader, main_name

HEADER_WITHIN = 50  # rows: titles and notes above a header are shorter than this
_CHUNK = 1 << 16
_MERGED_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Header:
    """The header row's number (1-based) and its names, trimmed, by column index (A = 1)."""

    row: int
    names: dict[int, str]

    def listed(self) -> str:
        """The names as an error shows them."""
        return ", ".join(repr(name) for name in self.names.values()) or "nothing"


def first_rows(package: Package, sheet: SheetPart, strings: SharedStrings, limits: Limits) -> list[Row]:
    """The rows with numbers up to ``HEADER_WITHIN``, read exactly."""
    parser = SheetParser(sheet.part, strings, package.date_styles, max_chars=limits.text_chars)
    rows: list[Row] = []
    with package.open_part(sheet.part, limits.sheet_bytes) as stream:
        chunks: Iterator[bytes] = iter(lambda: stream.read(_CHUNK), b"")
        for row in iterate(parser, chunks):
            if row.number > HEADER_WITHIN:
                break
            rows.append(row)
    return rows


def find_header(
    rows: Sequence[Row],
    wanted: Sequence[str],
    sheet: str,
    merged: Callable[[int], list[str]] = lambda _: [],
) -> Header:
    """The first row that holds every wanted name. ``merged(row)`` tells an error which cells are merged.

    Raises WorkbookError ``header_missing`` with the best row's names, or ``header_duplicate``.
    """
    headers = [_header(row) for row in rows]
    for header in headers:
        if all(columns_named(header, name) for name in wanted):
            return header
    best = max(
        headers, key=lambda header: sum(bool(columns_named(header, name)) for name in wanted), default=None
    )
    found = best if best is not None and best.names else None
    missing = [name for name in wanted if found is None or not columns_named(found, name)]
    raise WorkbookError(
        "header_missing",
        f"Sheet {sheet!r} has no column {_quoted(missing)} in its first {HEADER_WITHIN} rows"
        + (f"; row {found.row} holds {found.listed()}" if found else "; they are empty"),
        expected=f"one row that holds {_quoted(wanted)}" + (_merged_hint(merged(found.row)) if found else ""),
        remedy=_did_you_mean(missing, found) + "Correct the header, or the column names in the feed file",
    )


def merged_cells(package: Package, sheet: SheetPart, row: int, limits: Limits) -> list[str]:
    """The merged ranges that touch a row, such as ``A3:C3``. Reads the sheet to its end: for errors only."""
    found: list[str] = []

    def note(name: str, attributes: dict[str, str]) -> None:
        if main_name(name) == "mergeCell":
            reference = attributes.get("ref", "")
            rows = [int(digits) for digits in re.findall(r"[A-Z]+([0-9]{1,7})", reference)]
            if rows and min(rows) <= row <= max(rows) and len(found) < _MERGED_SHOWN:
                found.append(reference)

    reader = XmlReader(sheet.part, start=note)
    with package.open_part(sheet.part, limits.sheet_bytes) as stream:
        while chunk := stream.read(_CHUNK):
            reader.feed(chunk)
    return found


def place_columns(header: Header, wanted: Sequence[str], sheet: str) -> list[int]:
    """For each wanted name the index of its column (A = 1). Raises WorkbookError ``header_duplicate``."""
    placed = []
    for name in wanted:
        columns = columns_named(header, name)
        if len(columns) > 1:
            where = " and ".join(f"{column_letters(index)}{header.row}" for index in columns)
            raise WorkbookError(
                "header_duplicate",
                f"Sheet {sheet!r} has the column {name!r} {len(columns)} times: {where}",
                expected="every mapped name once",
                remedy="Rename or delete the other",
            )
        placed.append(columns[0])
    return placed


def columns_named(header: Header, name: str) -> list[int]:
    """Indices of the columns called ``name``: exactly, or else when case doesn't count."""
    wanted = name.strip()
    exact = [index for index, there in header.names.items() if there == wanted]
    return exact or [index for index, there in header.names.items() if there.casefold() == wanted.casefold()]


def _header(row: Row) -> Header:
    texts = {
        index: text.strip() for index, (kind, text) in sorted(row.cells.items()) if kind != Kind.NO_VALUE
    }
    return Header(row.number, {index: text for index, text in texts.items() if text})


def likely_header(rows: Sequence[Row]) -> Header | None:
    """The row that most looks like a header: the first with two or more texts."""
    texts = [row for row in rows if sum(kind == Kind.TEXT for kind, _ in row.cells.values()) >= 2]
    return _header(texts[0]) if texts else next((_header(row) for row in rows if row.cells), None)


def _merged_hint(ranges: list[str]) -> str:
    return f", each in a cell of its own; merged there: {', '.join(ranges)}" if ranges else ""


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _did_you_mean(missing: Sequence[str], found: Header | None) -> str:
    if found is None:
        return ""
    near = [
        close[0] for name in missing if (close := difflib.get_close_matches(name, found.names.values(), 1))
    ]
    return f"Did you mean {_quoted(near)}? " if near else ""
