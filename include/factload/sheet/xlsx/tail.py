"""What follows a sheet's rows and changes how they are read: merged ranges, and whether saved values are stale.

Sources: ECMA-376 part 1, 18.3.1.55 (mergeCells), 18.3.1.76 (sheetCalcPr).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from factload.sheet.file_errors import damaged
from factload.sheet.limits import Limits
from factload.sheet.ranges import RangeList, Ranges
from factload.sheet.references import corners
from factload.sheet.xlsx.package import Package
from factload.sheet.xlsx.xml_parts import is_true, main_name
from factload.sheet.xml_reader import XmlReader

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


NO_TAIL = Tail(np.empty((0, 4), np.int32), stale=False)


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
            raise damaged(f"{self._part} merges cells {reference[:_SHOWN]!r}, which is not a range of cells")
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
