"""Numbers in texts with something around their digits: ``1.234,50-``, ``(5.00)``, ``€ 5``, ``12,5 %``.

A mark stands before and after the number at most once, inside or outside of its sign or its parentheses, with white
space between them or without. A minus stands once: ``-5-`` is no number, and neither is ``(-5)``. A word that says the
sign, ``5 S``, stands where a trailing minus would, or before the number, and once, too.
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
    """What such a number looks like (RE2), the groups of its pattern that may hold its digits, or say its sign, and
    what the sign of a negative one looks like."""

    pattern: str
    digits: tuple[str, ...]
    signs: tuple[str, ...]
    negative: str


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
    negative = pc.match_substring_regex(_joined(found, marked.signs), marked.negative)
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
    marks = _PERCENT if written.percent else _one_of(written.strip)
    before = f"(?:(?:{marks}){_GAP})?" if marks else ""
    after = f"(?:{_GAP}(?:{marks}))?" if marks else ""
    core = written.unsigned + ("" if written.percent else "(?:[eE][+-]?[0-9]{1,4})?")
    ways = [] if written.plus else [f"(?P<sign1>[+-]?){_GAP}{before}(?P<digits1>{core}){after}"]
    if marks and not written.plus:
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
    if words := _one_of(written.minus + written.plus):
        ways.append(f"{before}(?P<digits6>{core}){_GAP}(?P<sign7>{words}){after}")
        ways.append(f"(?P<sign8>{words}){_GAP}{before}(?P<digits7>{core}){after}")
        if marks:
            ways.append(f"{before}(?P<digits8>{core}){_GAP}(?:{marks}){_GAP}(?P<sign9>{words})")
            ways.append(f"(?:{marks}){_GAP}(?P<sign10>{words}){_GAP}(?P<digits9>{core}){after}")
    pattern = rf"\A(?:{'|'.join(ways)})\z"
    groups = re.findall(r"\(\?P<(\w+)>", pattern)
    return _Marked(
        pattern,
        tuple(group for group in groups if group.startswith("digits")),
        tuple(group for group in groups if group.startswith("sign")),
        rf"\A(?:[-(]|(?:{_one_of(written.minus)})\z)" if written.minus else r"\A[-(]",
    )


def _one_of(texts: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
