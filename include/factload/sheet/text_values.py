r"""Texts parsed as numbers, dates and booleans, where a feed declares how they are written.

Numbers: digits with the declared separators, ``-1.234,5`` with ``decimal: ","`` and ``thousands: "."``; groups of
three or no groups at all. The minus sign of typography (U+2212) is a minus, too. Dates: as ``date_format`` says, or
else ISO 8601, ``2026-11-05``, with a time after ``T`` or a space, perhaps with an offset. Truth values: ``true`` and
``false`` in any case, ``1`` and ``0``, or the feed's words for them. White space around any of them doesn't count.
Anything else stays a text, and so becomes a reject.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.block import Column, Kind
from factload.sheet.date_format import MONTHS, OFFSET, parse_date_format
from factload.sheet.marked_numbers import as_hundredths, unmarked, writes_marked
from factload.sheet.text_format import FALSE, TRUE, TextFormat
from factload.sql_types import SqlType
from factload.vectors import Flags, flags, integers, matches, texts
from factload.white_space import ANY, trimmed

_CLOCK = rf"[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,40}})?)?{OFFSET}?"
_ISO = rf"\A[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:[T ]{_CLOCK})?\z"
_ZERO_ONE = texts(["0", "1"])
_KINDS = {"date": Kind.ISO_DATE, "timestamp": Kind.ISO_DATE, "boolean": Kind.BOOLEAN}  # the others: a number
_FIRST_OF_THE_1900S = "69"
_FIRST_DAY = "01"
_MINUS_SIGN = "\N{MINUS SIGN}"
_MONTHS = texts(month[:3] for month in MONTHS)
_NUMBERS = texts(f"{number:02}" for number in range(1, 13))
_HALVES = texts(["12", *(f"{hour:02}" for hour in range(1, 12))])
_HOURS = texts([*(f"{hour:02}" for hour in range(24)), "99"])


def read_text(column: Column, declared: SqlType, written: TextFormat) -> Column:
    """The column with those of its texts that write a value of the declared type as values of that kind."""
    which = column.kind == Kind.TEXT
    if declared.kind == "text" or not which.any():
        return column
    kinds, text = column.kind, column.text
    for spelt in (_as_it_is, trimmed, *([_with_minus] if declared.is_number else [])):
        candidate = spelt(text)
        found = which & writes(candidate, declared, written)
        if found.any():
            kinds = np.where(found, np.uint8(_KINDS.get(declared.kind, Kind.NUMBER)), kinds)
            values = _value(candidate, declared, written)
            text = values if found.all() else pc.if_else(flags(found), values, text)
            which = which & ~found
        if not which.any():
            break
    return Column(kinds, text)


def _as_it_is(text: pa.Array[Any]) -> pa.Array[Any]:
    return text


def _with_minus(text: pa.Array[Any]) -> pa.Array[Any]:
    return pc.replace_substring(trimmed(text), _MINUS_SIGN, "-")


def writes(text: pa.Array[Any], declared: SqlType, written: TextFormat) -> Flags:
    """Which texts, without white space around them, write a value of the type."""
    if declared.kind in ("date", "timestamp"):
        return matches(text, parse_date_format(written.date).pattern if written.date else _ISO)
    if declared.kind == "boolean":
        return matches(text, _one_of((written.true or TRUE) + (written.false or FALSE)))
    return writes_marked(text, written) if written.is_marked else matches(text, written.pattern)


@lru_cache(maxsize=64)
def _one_of(words: tuple[str, ...]) -> str:
    """The expression of all texts that are one of these words, in any case, with white space as a person sees it."""
    spelt = (f"[{ANY}]+".join(map(re.escape, word.split())) for word in words)
    return rf"(?i)\A(?:{'|'.join(spelt)})\z"


def _value(text: pa.Array[Any], declared: SqlType, written: TextFormat) -> pa.Array[Any]:
    """What a cell of the kind would hold, for the texts that write one."""
    if declared.kind in ("date", "timestamp"):
        return _iso(text, written.date) if written.date else pc.replace_substring(text, " ", "T")
    if declared.kind == "boolean":
        true = matches(text, _one_of(written.true or TRUE))
        return _ZERO_ONE.take(integers(true.astype(np.int64)))
    return _digits(text, written)


def _digits(text: pa.Array[Any], written: TextFormat) -> pa.Array[Any]:
    if written.is_marked:
        text = unmarked(text, written)
    if written.thousands:
        text = pc.replace_substring(text, written.thousands, "")
    if written.decimal != ".":
        text = pc.replace_substring(text, written.decimal, ".")
    return as_hundredths(text) if written.percent else text


def _iso(text: pa.Array[Any], date_format: str) -> pa.Array[Any]:
    """The dates that texts write in a declared format, as ISO 8601; null where they write none."""
    written = parse_date_format(date_format)
    found = pc.extract_regex(text, written.pattern)
    part = {name: pc.struct_field(found, name) for name in written.parts}
    year = part["year"] if "year" in part else _whole_year(part["short"])
    month = _month_named(part["name"]) if "name" in part else _two(part["month"])
    day = _joined("-", year, month, _two(part["day"]) if "day" in part else _FIRST_DAY)
    if "minute" not in part:
        return day
    hour = _two(part["hour"]) if "hour" in part else _hour_of_day(part["half"], part["noon"])
    clock = _joined(":", hour, _two(part["minute"]), *([_two(part["second"])] if "second" in part else []))
    if "fraction" in part:
        clock = _joined(".", clock, part["fraction"])
    return _joined("", day, "T", clock, *([part["offset"]] if "offset" in part else []))


def _two(digits: pa.Array[Any]) -> pa.Array[Any]:
    return pc.utf8_lpad(digits, 2, "0")


def _month_named(names: pa.Array[Any]) -> pa.Array[Any]:
    index = pc.index_in(pc.utf8_slice_codeunits(pc.utf8_lower(names), 0, 3), value_set=_MONTHS)
    return _NUMBERS.take(index)


def _hour_of_day(half: pa.Array[Any], noon: pa.Array[Any]) -> pa.Array[Any]:
    """Hours of a clock with AM and PM, where 12 AM is midnight. An hour 0 or 13 becomes one that no clock has."""
    hour = pc.index_in(_two(half), value_set=_HALVES)
    after = pc.starts_with(noon, "p", ignore_case=True)
    return _HOURS.take(pc.fill_null(pc.if_else(after, pc.add(hour, 12), hour), len(_HOURS) - 1))


def _whole_year(short: pa.Array[Any]) -> pa.Array[Any]:
    old = pc.greater_equal(short, texts([_FIRST_OF_THE_1900S])[0])
    return _joined("", pc.if_else(old, "19", "20"), short)


def _joined(between: str, *parts: pa.Array[Any]) -> pa.Array[Any]:
    return pc.binary_join_element_wise(*parts, between)
