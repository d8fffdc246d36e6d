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
    """An error for each mapped header cell (``placed``, by its index) that is merged across columns.

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
        for reference in merged
        if _spans(reference, index)
    ]


def _spans(reference: str, index: int) -> bool:
    columns = [column_index(letters) for letters in re.findall(r"[A-Z]+", reference)]
    return columns[0] != columns[-1] and columns[0] <= index <= columns[-1]


def touches(reference: str, row: int) -> bool:
    """Whether a range such as ``A3:C3`` holds cells of a row."""
    rows = [int(digits) for digits in re.findall(r"[A-Z]+([0-9]{1,7})", reference)]
    return bool(rows) and min(rows) <= row <= max(rows)
