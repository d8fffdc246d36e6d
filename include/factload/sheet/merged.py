"""Merged cells in a header: the name stands in one column, and the values may stand in another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from factload.errors import WorkbookError
from factload.sheet.cells import column_index
from factload.sheet.limits import Limits
from factload.sheet.package import Package
from factload.sheet.sheets import SheetPart
from factload.sheet.xml_parts import XmlReader, main_name

MERGED_AT_MOST = 100  # ranges that are kept of a row
_CHUNK = 1 << 16
_RANGE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})(?::([A-Z]{1,3})([0-9]{1,7}))?")


def merged_cells(package: Package, sheet: SheetPart, row: int, limits: Limits) -> list[str]:
    """The merged ranges that touch a row, such as ``A3:C3``. Reads the sheet to its end: for errors only."""
    found: list[str] = []

    def note(name: str, attributes: dict[str, str]) -> None:
        if main_name(name) == "mergeCell":
            reference = attributes.get("ref", "")
            if touches(reference, row) and len(found) < MERGED_AT_MOST:
                found.append(reference)

    reader = XmlReader(sheet.part, start=note)
    with package.open_part(sheet.part, limits.sheet_bytes) as stream:
        while chunk := stream.read(_CHUNK):
            reader.feed(chunk)
    return found


def merged_headers(
    names: Mapping[int, str], placed: Sequence[int], merged: Sequence[str], sheet: str
) -> list[WorkbookError]:
    """An error for each mapped header cell (``placed``, by its index) that is merged across columns, with one range.

    Which of these columns holds the values can't be told.
    """
    return [
        WorkbookError(
            "header_merged",
            f"Sheet {sheet!r} has the column {names[index]!r} in merged cells {reference}",
            expected="every mapped name in a cell of its own",
            remedy="Undo the merging, and write the name above the one column that holds the values",
        )
        for index in dict.fromkeys(placed)
        if (reference := next((there for there in merged if _spans(there, index)), None))
    ]


def _spans(reference: str, index: int) -> bool:
    columns, _ = _corners(reference)
    return bool(columns) and columns[0] != columns[-1] and columns[0] <= index <= columns[-1]


def touches(reference: str, row: int) -> bool:
    """Whether a range such as ``A3:C3`` holds cells of a row; what is no range holds none."""
    _, rows = _corners(reference)
    return bool(rows) and rows[0] <= row <= rows[-1]


def _corners(reference: str) -> tuple[list[int], list[int]]:
    """The columns and the rows that a range names, each in order; none of what is no range."""
    match = _RANGE.fullmatch(reference)
    if match is None:
        return [], []
    letters, digits = filter(None, match.group(1, 3)), filter(None, match.group(2, 4))
    return sorted(map(column_index, letters)), sorted(map(int, digits))
