"""An independent count of the rows that carry a value: ``source``, the left side of the reconciliation.

A row carries a value when it holds a non-empty ``v`` or ``t`` element, or a formula without a cached value. In a stale
sheet every formula counts: what it comes to, nobody has saved.
"""

from __future__ import annotations

import re

import numpy as np

from factload.sheet.xlsx.xml_parts import main_name
from factload.sheet.xml_reader import XmlReader
from factload.vectors import Flags, Positions, flags, matches, slices, words

# Independent of the reader on purpose: what a value looks like, not what a row is made of.
_VALUE = r"<[vt](?: [^<>]*[^/<>])?>[^<]"
_VALUE_OR_FORMULA = rf"{_VALUE}|<f[\s/>]"
_END_OF_VALUE, _END_OF_TEXT, _END_OF_INLINE = b"</v></c>", b"</t></is", b"/is></c>"
_CLOSE = len("</row>")
_FORMULA_ALONE = re.compile(
    rb"<c(\s[^<>]*)?>\s*<f(?:\s[^<>]*)?(?:/>|>[^<]*</f>)\s*+(<v\s*/>|<v[^<>]*></v>)?\s*</c>"
)


def count_valued(xml: bytes, ends: Positions, *, stale: bool = False) -> int:
    """How many rows of a window carry a value, counted in its bytes; its rows end at ``ends``.

    Nearly every row ends in a cell with a value, which eight bytes tell. The others are looked through. In a
    sheet without comments and the like this equals what any parser finds; where it doesn't, the reader looks
    closer.
    """
    data, word = np.frombuffer(xml, np.uint8), words(xml)

    def stands(before_end: int, what: bytes) -> Flags:
        found: Flags = word[np.maximum(ends - before_end, 0)] == np.uint64(int.from_bytes(what, "little"))
        return found

    def filled(before_end: int) -> Flags:
        there: Flags = data[np.maximum(ends - before_end, 0)] != ord(">")
        return there

    value = stands(_CLOSE + 8, _END_OF_VALUE) & filled(_CLOSE + 9)
    text = stands(_CLOSE + 8, _END_OF_INLINE) & stands(_CLOSE + 13, _END_OF_TEXT) & filled(_CLOSE + 14)
    others = np.flatnonzero(~(value | text))
    if not len(others):
        return len(ends)
    starts = np.concatenate([[0], ends[:-1]])
    pieces = slices(xml, starts[others], ends[others])
    if stale:
        return len(ends) - len(others) + int(matches(pieces, _VALUE_OR_FORMULA).sum())
    valued = matches(pieces, _VALUE)
    alone = map(_has_formula_alone, pieces.filter(flags(~valued)).to_pylist())
    return len(ends) - len(others) + int(valued.sum()) + sum(alone)


def _has_formula_alone(row: bytes) -> bool:
    return any(b't="str"' not in (m[1] or b"") or m[2] is None for m in _FORMULA_ALONE.finditer(row))


class RowCounter:
    """The same count by an XML parser, for sheets whose bytes can't be counted directly."""

    def __init__(self, part: str, *, stale: bool = False) -> None:
        self._stale = stale
        self._xml = XmlReader(part, start=self._start, end=self._end, data=self._data)
        self._rows: list[bool] = []
        self._valued = self._formula = self._filled = self._has_v = False
        self._type = ""
        self._inside: list[str] = []
        self._phonetic = self._in_data = 0  # how many of the elements it is inside of are such

    def feed(self, data: bytes, *, final: bool = False) -> list[bool]:
        """For each row that closed within ``data``, whether it carries a value."""
        self._xml.feed(data, final=final)
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = main_name(name)
        self._inside.append(tag)
        self._phonetic += tag == "rPh"
        self._in_data += tag == "sheetData"
        if tag == "row":
            self._valued = False
        elif tag == "c":
            self._formula = self._filled = self._has_v = False
            self._type = attributes.get("t", "n")
        elif tag == "f":
            self._formula = True
        elif tag == "v":
            self._has_v = True

    def _data(self, text: str) -> None:
        inside = self._inside
        if text and inside and inside[-1] in ("v", "t") and not self._phonetic:
            self._filled = True

    def _end(self, name: str) -> None:
        tag = main_name(name)
        self._inside.pop()
        self._phonetic -= tag == "rPh"
        self._in_data -= tag == "sheetData"
        if tag == "c":
            is_empty_text = self._has_v and self._type == "str" and not self._stale
            unsaved = self._formula and not self._filled and not is_empty_text
            self._valued = self._valued or self._filled or unsaved
        elif tag == "row" and self._in_data:
            self._rows.append(self._valued)
