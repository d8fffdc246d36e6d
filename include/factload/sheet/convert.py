"""Cells converted to the declared type, with a reason code for each cell that can't be.

The type of a value is what the feed says, never what a sample looked like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.block import DATED, Column, Kind
from factload.sheet.codes import CODES
from factload.sheet.dates import Calendar
from factload.sheet.doubles import TOO_LONG, as_excel_shows, is_too_long_a_key, may_be_cut, shown_text
from factload.sheet.field import SheetField
from factload.sheet.moments import to_moments
from factload.sheet.null_words import without_nulls
from factload.sheet.numbers import (
    Codes,
    parse_decimal,
    plain_text,
    rewritten,
    to_double,
    to_integer,
    to_numeric,
)
from factload.sheet.open_cells import OpenCells, distinct_cells, none_but
from factload.sheet.rule_checks import broken_rules
from factload.sheet.seen import seen_in
from factload.sheet.signs import SignsBeside, has_own_sign, is_unknown, with_signs
from factload.sheet.text_values import read_text
from factload.sheet.unstorable import unstorable
from factload.sql_types import SqlType
from factload.vectors import (
    Flags,
    as_flags,
    fixed,
    flags,
    integers,
    masked_flags,
    matches,
    texts,
)

_DEFECTS = {
    Kind.ERROR: "error_cell",
    Kind.NO_VALUE: "formula_without_value",
    Kind.STALE: "stale_formula",
    Kind.MERGED: "merged_cell",
    Kind.RICH: "rich_value",
    Kind.AMBIGUOUS: "ambiguous_cell",
}
_PLAIN_NUMBER = r"\A(?:0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])\z"
_KEY_AS_IT_IS = r"\A(?:0|-?[1-9][0-9]{0,14})\z"
_ANY_NUMBER = SqlType("numeric")
_PLAIN_LENGTH = 16  # 15 digits, and a point or a sign


def convert(
    column: Column, blank: Flags, field: SheetField, *, calendar: Calendar, signs: SignsBeside | None = None
) -> tuple[pa.Array[Any], Codes]:
    """The cells as values of the field's type, null where there is none; and for each 0 or the code of its defect.

    ``blank``: the cells in which a person sees nothing. ``signs``: what the column of their signs says.
    """
    if field.nulls:
        column = without_nulls(column, field.nulls)
        blank = blank | (column.kind == Kind.BLANK)
    written = np.zeros(len(column.kind), np.bool_)
    as_they_are = column
    if field.parse_text:
        written = column.kind == Kind.TEXT
        column = read_text(column, _ANY_NUMBER if field.number else field.type, field.text_format)
    kind = column.kind
    codes = np.zeros(len(kind), np.uint8)
    if field.required:
        codes[blank] = CODES["blank_key" if field.role == "key" else "blank_value"]
    if field.role == "value" and field.type.kind == "text":
        blank = kind == Kind.BLANK  # a text of white space is one
    for defect, reason in _DEFECTS.items():
        codes[kind == defect] = CODES[reason]
    if signs is not None:
        _note_signs(codes, as_they_are, kind, blank, signs)
        column = with_signs(column, signs.minus & (codes == 0))
        blank = blank | signs.unread  # no value, as nobody knows which
    open_ = ~blank & (codes == 0)  # still to be read
    reader = _number_keys if field.number else _BY_TYPE[field.type.kind]
    values, found = reader(OpenCells(kind, column.text, open_, written, calendar), field)
    codes[open_] = found[open_]
    for reason, broken in broken_rules(values, field.rules):
        codes[broken & (codes == 0)] = CODES[reason]
    if field.signs is not None:
        codes[is_unknown(values, field.signs) & (codes == 0)] = CODES["unknown_sign"]
    return values, codes


def _note_signs(codes: Codes, cells: Column, kind: Codes, blank: Flags, signs: SignsBeside) -> None:
    """Code the numbers whose sign can't be told. ``kind``: what the cells are read as."""
    good = codes == 0
    codes[good & has_own_sign(cells, kind)] = CODES["signed_twice"]
    codes[good & signs.missing & ~blank] = CODES["unknown_sign"]


def _numbers(cells: OpenCells, field: SheetField) -> tuple[pa.Array[Any], Codes]:
    number = cells.of(Kind.NUMBER, *(DATED if field.serials else ()))
    text, typed = none_but(cells.text, number), number & ~cells.written
    bad, far = CODES["not_a_number"], CODES["number_out_of_range"]
    if field.type.kind == "numeric":
        values, codes = to_numeric(text, field.type, bad, far, typed)
    elif field.type.kind == "integer":
        shown = rewritten(text, typed, as_excel_shows)
        values, codes = to_integer(shown, field.type, bad, CODES["not_an_integer"], far)
        _note_cut(values, codes, typed)
    else:
        values, codes = to_double(text, bad, far)
    codes[cells.open & ~number] = bad
    return values, codes


def _note_cut(values: pa.Array[Any], codes: Codes, typed: Flags) -> None:
    """Code the whole numbers of which Excel may have cut the last digits."""
    whole = fixed(values, np.int64)
    long = typed & (codes == 0) & ((whole >= TOO_LONG) | (whole <= -TOO_LONG))
    open_ = np.flatnonzero(long & ((whole % 10 == 0) | (np.abs(whole) > 1 << 53)))
    distinct, back = np.unique(whole[open_], return_inverse=True)
    cut = np.array([may_be_cut(Decimal(number)) for number in distinct.tolist()], np.bool_)
    codes[open_[cut[back]]] = CODES["number_may_be_cut"]


def _texts(cells: OpenCells, field: SheetField) -> tuple[pa.Array[Any], Codes]:
    """Text as it is; a number as its digits, a boolean and a date as a person reads them."""
    codes = np.zeros(len(cells.kind), np.uint8)
    text = none_but(cells.text, cells.open)
    odd = cells.open & (cells.kind != Kind.TEXT)
    if odd.any():
        odd &= ~_plain_numbers(cells)
    if odd.any():
        distinct, back = distinct_cells(cells, odd)
        seen = [
            _number_as_text(raw, field) if kind == Kind.NUMBER else (seen_in(kind, raw, cells.calendar), 0)
            for kind, raw, _ in distinct
        ]
        codes[odd] = np.array([code for _, code in seen], np.uint8)[back]
        text = pc.replace_with_mask(text, flags(odd), texts(one for one, _ in seen).take(integers(back)))
    if field.type.length is not None:
        codes[as_flags(pc.greater(pc.utf8_length(text), field.type.length))] = CODES["text_too_long"]
    codes[unstorable(text)] = CODES["unstorable_text"]
    return text, codes


def _number_keys(cells: OpenCells, field: SheetField) -> tuple[pa.Array[Any], Codes]:
    """Keys that are numbers, as the text that every way of writing the same number has in common."""
    codes = np.zeros(len(cells.kind), np.uint8)
    number = cells.of(Kind.NUMBER)
    codes[cells.open & ~number] = CODES["not_a_number"]
    text = none_but(cells.text, number)
    odd = number & ~matches(text, _KEY_AS_IT_IS)
    if odd.any():
        distinct, back = distinct_cells(cells, odd)
        keys = [_number_as_key(raw, field, written=written) for _, raw, written in distinct]
        codes[odd] = np.array([code for _, code in keys], np.uint8)[back]
        text = pc.replace_with_mask(text, flags(odd), texts(key for key, _ in keys).take(integers(back)))
    return text, codes


def _number_as_key(raw: str, field: SheetField, *, written: bool) -> tuple[str | None, int]:
    number = None if written and "e" in raw.lower() else parse_decimal(raw)
    if number is None:
        return None, CODES["not_a_number"]
    if not written:
        if is_too_long_a_key(number):
            return None, CODES["key_too_long_number"]
        number = as_excel_shows(number)
    if field.number == "integer" and number != number.to_integral_value():
        return None, CODES["not_an_integer"]
    return plain_text(number), 0


def _plain_numbers(cells: OpenCells) -> Flags:
    return cells.of(Kind.NUMBER) & are_plain(cells.text)


def are_plain(numbers: pa.Array[Any]) -> Flags:
    """Which numbers have digits in the file that are those that Excel shows."""
    plain: Flags = fixed(pc.binary_length(numbers), np.int32) <= _PLAIN_LENGTH
    return plain & matches(numbers, _PLAIN_NUMBER)


def _number_as_text(raw: str, field: SheetField) -> tuple[str | None, int]:
    if (at_once := shown_text(raw, certain=field.role == "key")) is not None:
        return at_once, 0
    number = parse_decimal(raw)
    if number is None:
        return None, CODES["not_a_number"]
    shown = as_excel_shows(number)
    if field.role == "key" and is_too_long_a_key(number):
        return None, CODES["key_too_long_number"]
    if may_be_cut(shown):
        return None, CODES["number_may_be_cut"]
    return plain_text(shown), 0


def _booleans(cells: OpenCells, _: SheetField) -> tuple[pa.Array[Any], Codes]:
    one, zero = matches(cells.text, r"\A1\z"), matches(cells.text, r"\A0\z")
    good = cells.of(Kind.BOOLEAN) & (one | zero)
    codes = np.where(cells.open & ~good, CODES["not_a_boolean"], 0).astype(np.uint8)
    return masked_flags(one, good), codes


_Reader = Callable[[OpenCells, SheetField], tuple["pa.Array[Any]", Codes]]
_BY_TYPE: Mapping[str, _Reader] = {
    "numeric": _numbers,
    "integer": _numbers,
    "double": _numbers,
    "text": _texts,
    "date": to_moments,
    "timestamp": to_moments,
    "boolean": _booleans,
}
