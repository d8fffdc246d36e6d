"""Cells as values of a declared type; a code for each that isn't one.

The type of a value is what the feed says, never what a sample looked like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.reasons import CELLS
from factload.sheet.block import Column, Kind
from factload.sheet.dates import DAY_MS, iso_micros, serial_micros, serial_millis, shown
from factload.sheet.field import SheetField
from factload.sheet.judging import broken_rules
from factload.sheet.numbers import (
    Codes,
    parse_decimal,
    plain_text,
    significant_digits,
    to_double,
    to_integer,
    to_numeric,
)
from factload.sheet.text_values import read_text
from factload.sheet.unstorable import unstorable
from factload.vectors import (
    Flags,
    Positions,
    as_flags,
    fixed,
    flags,
    integers,
    masked,
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
CODES = {reason: code for code, reason in enumerate(CELLS, start=1)}  # 0 is no reason
_KEY_DIGITS = 15  # what Excel keeps of a number: IEEE 754 doubles, shown to 15 digits
_PLAIN_NUMBER = r"\A(?:0|-?[1-9][0-9]{0,14}|-?[1-9][0-9]{0,6}\.[0-9]{0,7}[1-9])\z"


def convert(
    column: Column, blank: Flags, field: SheetField, *, date1904: bool
) -> tuple[pa.Array[Any], Codes]:
    """The cells as values of the field's type, null where there is none; and for each 0 or the code of its defect.

    ``blank``: the cells in which a person sees nothing.
    """
    kind = column.kind
    if field.parse_text:
        column = read_text(column, field.type, field.text_format)
        kind = column.kind
    if field.role == "value" and field.type.kind == "text":
        blank = kind == Kind.BLANK
    codes = np.zeros(len(kind), np.uint8)
    if field.required:
        codes[blank] = CODES["blank_key" if field.role == "key" else "blank_value"]
    for defect, reason in _DEFECTS.items():
        codes[kind == defect] = CODES[reason]
    open_ = ~blank & (codes == 0)  # still to be read
    values, found = _BY_TYPE[field.type.kind](column, field, open_, date1904)
    codes[open_] = found[open_]
    if field.rules is not None:
        for reason, broken in broken_rules(values, field.rules):
            codes[broken & (codes == 0)] = CODES[reason]
    return values, codes


def _none_but(text: pa.Array[Any], which: Flags) -> pa.Array[Any]:
    return text if which.all() else pc.if_else(flags(which), text, pa.nulls(1, pa.string())[0])


def _numbers(column: Column, field: SheetField, open_: Flags, _: bool) -> tuple[pa.Array[Any], Codes]:
    number = open_ & ((column.kind == Kind.NUMBER) | (column.kind == Kind.SERIAL))
    text = _none_but(column.text, number)
    bad, far = CODES["not_a_number"], CODES["number_out_of_range"]
    if field.type.kind == "numeric":
        values, codes = to_numeric(text, field.type, bad, far)
    elif field.type.kind == "integer":
        values, codes = to_integer(text, field.type, bad, CODES["not_an_integer"], far)
    else:
        values, codes = to_double(text, bad, far)
    codes[open_ & ~number] = bad
    return values, codes


def _texts(column: Column, field: SheetField, open_: Flags, date1904: bool) -> tuple[pa.Array[Any], Codes]:
    """Text as it is; a number as its digits, a boolean and a date as Excel writes them out."""
    codes = np.zeros(len(column.kind), np.uint8)
    text = _none_but(column.text, open_)
    odd = open_ & (column.kind != Kind.TEXT)
    if odd.any():
        number = (column.kind == Kind.NUMBER) & odd
        odd &= ~(number & matches(column.text, _PLAIN_NUMBER))
        seen = [
            _number_key(raw, field) if kind == Kind.NUMBER else (seen_in(kind, raw, date1904), 0)
            for kind, raw in zip(
                column.kind[odd].tolist(), column.text.filter(flags(odd)).to_pylist(), strict=True
            )
        ]
        codes[odd] = [code for _, code in seen]
        text = pc.replace_with_mask(text, flags(odd), texts(shown_text for shown_text, _ in seen))
    if field.type.length is not None:
        codes[as_flags(pc.greater(pc.utf8_length(text), field.type.length))] = CODES["text_too_long"]
    codes[unstorable(text)] = CODES["unstorable_text"]
    return text, codes


def _number_key(raw: str, field: SheetField) -> tuple[str | None, int]:
    number = parse_decimal(raw)
    if number is None:
        return None, CODES["not_a_number"]
    if field.role == "key" and significant_digits(number) > _KEY_DIGITS:
        return None, CODES["key_too_long_number"]
    return plain_text(number), 0


def _moments(column: Column, field: SheetField, open_: Flags, date1904: bool) -> tuple[pa.Array[Any], Codes]:
    whole_days = field.type.kind == "date"
    codes = np.zeros(len(column.kind), np.uint8)
    number = open_ & ((column.kind == Kind.NUMBER) | (column.kind == Kind.SERIAL))
    micros, certain = serial_micros(_none_but(column.text, number), date1904=date1904)
    if whole_days:
        codes[certain & (micros % (DAY_MS * 1000) != 0)] = CODES["not_a_date"]
    rest = open_ & ~certain
    if rest.any():
        micros[rest], codes[rest] = _one_by_one(column, rest, date1904, whole_days)
    valid = open_ & (codes == 0)
    if whole_days:
        return masked((micros // (DAY_MS * 1000)).astype(np.int32), pa.date32(), valid), codes
    return masked(micros, pa.timestamp("us"), valid), codes


def _one_by_one(column: Column, which: Flags, date1904: bool, whole_days: bool) -> tuple[Positions, Codes]:
    """The moments of some cells, in microseconds, and their codes: each distinct text is read once."""
    encoded = column.text.filter(flags(which)).dictionary_encode()
    kinds = column.kind[which].astype(np.int64)
    index = fixed(encoded.indices, np.int32)
    distinct, back = np.unique(index * 256 + kinds, return_inverse=True)
    raws = encoded.dictionary.take(integers(distinct // 256)).to_pylist()
    moments = [
        _moment(kind, raw, date1904, whole_days)
        for kind, raw in zip((distinct % 256).tolist(), raws, strict=True)
    ]
    micros = np.array([moment or 0 for moment in moments], np.int64)[back]
    bad = np.array([moment is None for moment in moments], np.bool_)[back]
    return micros, np.where(bad, CODES["not_a_date"], 0).astype(np.uint8)


def _moment(kind: int, raw: str, date1904: bool, whole_days: bool) -> int | None:
    micros = None
    if kind == Kind.ISO_DATE:
        micros = iso_micros(raw)
    elif kind in (Kind.NUMBER, Kind.SERIAL) and (number := parse_decimal(raw)) is not None:
        millis = serial_millis(number, date1904=date1904)
        micros = None if millis is None else millis * 1000
    return None if micros is None or (whole_days and micros % (DAY_MS * 1000)) else micros


def _booleans(column: Column, _: SheetField, open_: Flags, __: bool) -> tuple[pa.Array[Any], Codes]:
    one, zero = matches(column.text, r"\A1\z"), matches(column.text, r"\A0\z")
    good = open_ & (column.kind == Kind.BOOLEAN) & (one | zero)
    codes = np.where(open_ & ~good, CODES["not_a_boolean"], 0).astype(np.uint8)
    return masked_flags(one, good), codes


_Reader = Callable[[Column, SheetField, Flags, bool], tuple["pa.Array[Any]", Codes]]
_BY_TYPE: Mapping[str, _Reader] = {
    "numeric": _numbers,
    "integer": _numbers,
    "double": _numbers,
    "text": _texts,
    "date": _moments,
    "timestamp": _moments,
    "boolean": _booleans,
}


def seen_in(kind: int, raw: str, date1904: bool) -> str:
    """What a person reads in such a cell."""
    if kind == Kind.BOOLEAN:
        return {"1": "TRUE", "0": "FALSE"}.get(raw, raw)
    moment = _moment(kind, raw, date1904, False) if kind in (Kind.SERIAL, Kind.ISO_DATE) else None
    return raw if moment is None else shown(moment)
