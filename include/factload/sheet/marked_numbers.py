"""Numbers in texts with something around their digits: ``1.234,50-``, ``(5.00)``, ``€ 5``, ``12,5 %``.

A mark stands before and after the number at most once, inside or outside of its sign or its parentheses, with white
space between them or without. A minus stands once: ``-5-`` is no number, and neither is ``(-5)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.text_format import TextFormat
from factload.vectors import EMPTY, Flags, as_flags, matches
from factload.white_space import ANY

_GAP = f"[{ANY}]*"
_PERCENT = "%"
_MINUS = "-"


@dataclass(frozen=True, slots=True)
class _Marked:
    """What such a number looks like (RE2), and the groups of its pattern that may hold its digits, or say its sign."""

    pattern: str
    digits: tuple[str, ...]
    signs: tuple[str, ...]


def writes_marked(text: pa.Array[Any], written: TextFormat) -> Flags:
    """Which texts write a number."""
    found = matches(text, _marked(written).pattern)
    if written.percent:
        found &= as_flags(pc.equal(pc.count_substring(text, _PERCENT), 1))
    return found


def unmarked(text: pa.Array[Any], written: TextFormat) -> pa.Array[Any]:
    """The numbers that such texts write, in their own separators, with no sign but a leading minus; null for others."""
    marked = _marked(written)
    found = pc.extract_regex(text, marked.pattern)
    digits = _joined(found, marked.digits)
    negative = pc.match_substring_regex(_joined(found, marked.signs), r"\A[-(]")
    return pc.binary_join_element_wise(pc.if_else(negative, _MINUS, ""), digits, "")


def as_hundredths(digits: pa.Array[Any]) -> pa.Array[Any]:
    """Numbers without an exponent, divided by a hundred."""
    return pc.binary_join_element_wise(digits, "e-2", "")


def _joined(found: pa.Array[Any], groups: tuple[str, ...]) -> pa.Array[Any]:
    """Of groups of which at most one holds something, that one."""
    parts = [pc.struct_field(found, group) for group in groups]
    return pc.binary_join_element_wise(*parts, EMPTY[0])


@lru_cache(maxsize=64)
def _marked(written: TextFormat) -> _Marked:
    marks = "|".join(map(re.escape, sorted(written.strip, key=len, reverse=True)))
    if written.percent:
        marks = _PERCENT
    before = f"(?:(?:{marks}){_GAP})?" if marks else ""
    after = f"(?:{_GAP}(?:{marks}))?" if marks else ""
    core = written.unsigned + ("" if written.percent else "(?:[eE][+-]?[0-9]{1,4})?")
    ways = [f"(?P<sign1>[+-]?){_GAP}{before}(?P<digits1>{core}){after}"]
    if marks:
        ways.append(f"(?:{marks}){_GAP}(?P<sign2>[+-]){_GAP}(?P<digits2>{core}){after}")
    if written.negative == "trailing":
        ways.append(f"{before}(?P<digits3>{core}){_GAP}(?P<sign3>[+-]){after}")
        if marks:
            ways.append(f"{before}(?P<digits4>{core}){_GAP}(?:{marks}){_GAP}(?P<sign4>[+-])")
    if written.negative == "parentheses":
        opening, closing = rf"{before}(?P<sign5>\(){_GAP}", rf"{_GAP}\){after}"
        if marks:
            opening = rf"(?:{opening}|(?P<sign6>\(){_GAP}(?:{marks}){_GAP})"
            closing = rf"(?:{closing}|{_GAP}(?:{marks}){_GAP}\))"
        ways.append(f"{opening}(?P<digits5>{core}){closing}")
    pattern = rf"\A(?:{'|'.join(ways)})\z"
    groups = re.findall(r"\(\?P<(\w+)>", pattern)
    return _Marked(
        pattern,
        tuple(group for group in groups if group.startswith("digits")),
        tuple(group for group in groups if group.startswith("sign")),
    )
