"""What stands after a sheet's rows and says how they are to be read: merged ranges, and whether saved values count.

Sources: ECMA-376 part 1, 18.3.1.55 (mergeCells), 18.3.1.76 (sheetCalcPr).
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factload.sheet.limits import Limits
from factload.sheet.package import Package
from factload.sheet.references import corners
from factload.sheet.xml_parts import XmlReader, damaged, hostile, is_true, main_name

# Of each range its first row and column, its last row and column.
Ranges = npt.NDArray[np.int32]
_SAYING = (b"mergeCell", b"sheetCalcPr")
_LONGEST = max(map(len, _SAYING))
_CHUNK = 1 << 18
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Tail:
    """``merged``: the ranges of more than one cell that reach the header's row or rows below it. ``stale``: the sheet
    is to be calculated anew when it is opened, so that nobody ever sees the values that are saved in it."""

    merged: Ranges
    stale: bool


class RangeList:
    """The merged ranges of more than one cell that reach a header's row, or rows below it, as they are added."""

    def __init__(self, header_row: int, limits: Limits) -> None:
        self._header_row, self._most = header_row, limits.merged_ranges
        self._corners = array("i")

    @property
    def ranges(self) -> Ranges:
        return np.array(self._corners, np.int32).reshape(-1, 4)

    def add(self, top: int, left: int, bottom: int, right: int) -> None:
        """Raises WorkbookError for more of them than any real sheet has."""
        if bottom < self._header_row or (left, top) == (right, bottom):
            return
        if len(self._corners) >= 4 * self._most:
            raise hostile(
                "The sheet has more merged ranges than the limit", f"at most {self._most:,}", "merged_ranges"
            )
        self._corners.extend((top, left, bottom, right))


class TailReader:
    """Told of every element's start, it knows the tail in the end."""

    def __init__(self, part: str, header_row: int, limits: Limits) -> None:
        self._part = part
        self._merged = RangeList(header_row, limits)
        self._stale = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = main_name(name)
        if tag == "mergeCell":
            self._note(attributes.get("ref", ""))
        elif tag == "sheetCalcPr":
            self._stale = is_true(attributes.get("fullCalcOnLoad", ""))

    @property
    def tail(self) -> Tail:
        return Tail(self._merged.ranges, self._stale)

    def _note(self, reference: str) -> None:
        found = corners(reference)
        if found is None:
            raise damaged(f"{self._part} merges cells {reference[:_SHOWN]!r}, which is no range of cells")
        self._merged.add(*found)


def read_tail(package: Package, part: str, header_row: int, limits: Limits) -> Tail:
    """The tail of a sheet, found before its rows are read: that takes reading it to its end."""
    reader = TailReader(part, header_row, limits)
    if _says_something(package, part, limits):
        xml = XmlReader(part, start=reader.start)
        with package.open_part(part, limits.sheet_bytes) as stream:
            while chunk := stream.read(_CHUNK):
                xml.feed(chunk)
        xml.feed(b"", final=True)
    return reader.tail


def _says_something(package: Package, part: str, limits: Limits) -> bool:
    """Whether a look at the bytes finds anything to be read; most sheets say nothing."""
    with package.open_part(part, limits.sheet_bytes) as stream:
        before = b""
        while chunk := stream.read(_CHUNK):
            if not before and b"\0" in chunk[:4]:  # UTF-16
                return True
            chunk = before + chunk
            if any(name in chunk for name in _SAYING):
                return True
            before = chunk[-_LONGEST:]
    return False
