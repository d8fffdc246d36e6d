"""How many rows carry a value, found apart from the readers: what ``source`` is, in every reconciliation.

A row carries a value when it holds a non-empty ``v`` or ``t`` element, or a formula without a cached value.
"""

from __future__ import annotations

import re

import pyarrow.compute as pc

from factload.vectors import flags, matches, one_value
from factload.xml_parts import XmlReader, main_name

_CLOSE = b"</row>"
# Independent of the reader on purpose: what a value looks like, not what a row is made of.
_VALUE = r"<[vt](?: [^<>]*[^/<>])?>[^<]"
_ENDS_IN_VALUE, _EMPTY_VALUE = b"</v></c></row>", b"></v></c></row>"
_ENDS_IN_TEXT, _EMPTY_TEXT = b"</t></is></c></row>", b"></t></is></c></row>"
_FORMULA_ALONE = re.compile(
    rb"<c(\s[^<>]*)?>\s*<f(?:\s[^<>]*)?(?:/>|>[^<]*</f>)\s*(<v\s*/>|<v[^<>]*></v>)?\s*</c>"
)


def count_valued(xml: bytes) -> int:
    """How many rows of a window carry a value, by the look of the bytes.

    A value is a non-empty ``v`` or ``t`` element, or a formula without a cached value. In a sheet without
    comments and the like this equals what any parser finds; where it doesn't, the reader looks closer.
    """
    rows = xml.count(_CLOSE)
    ended = xml.count(_ENDS_IN_VALUE) if _EMPTY_VALUE not in xml else 0
    if ended < rows and _EMPTY_TEXT not in xml:
        ended += xml.count(_ENDS_IN_TEXT)
    if ended == rows:
        return rows
    pieces = pc.split_pattern(one_value(xml), _CLOSE.decode()).flatten()[:-1]
    valued = matches(pieces, _VALUE)
    others = pieces.filter(flags(~valued)).to_pylist() if not valued.all() else []
    return int(valued.sum()) + sum(map(_has_formula_alone, others))


def _has_formula_alone(row: bytes) -> bool:
    return any(b't="str"' not in (m[1] or b"") or m[2] is None for m in _FORMULA_ALONE.finditer(row))


class RowCounter:
    """The same judgement by a parser of its own, for sheets whose bytes can't be counted by their look."""

    def __init__(self, part: str) -> None:
        self._xml = XmlReader(part, start=self._start, end=self._end, data=self._data)
        self._rows: list[bool] = []
        self._valued = self._formula = self._filled = self._has_v = False
        self._type = ""
        self._inside: list[str] = []

    def feed(self, data: bytes, *, final: bool = False) -> list[bool]:
        """For each row that closed within ``data``, whether it carries a value."""
        self._xml.feed(data, final=final)
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = main_name(name)
        self._inside.append(tag)
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
        if text and inside and inside[-1] in ("v", "t") and "rPh" not in inside:
            self._filled = True

    def _end(self, name: str) -> None:
        tag = main_name(name)
        self._inside.pop()
        if tag == "c":
            unsaved = self._formula and not self._filled and not (self._has_v and self._type == "str")
            self._valued = self._valued or self._filled or unsaved
        elif tag == "row" and "sheetData" in self._inside:
            self._rows.append(self._valued)
