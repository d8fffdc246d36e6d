"""A block's cells as the columns a feed declares, and for each row the first reason why it can't be one.

The type of a value is what the feed says, never what a sample looked like. A cell that isn't of that type makes
its row a reject, with the cell's place and the text a person sees in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.arrow_types import arrow_type
from factload.reasons import CELLS
from factload.sheet.block import Block, Column, Kind, is_blank_text
from factload.sheet.cells import column_letters
from factload.sheet.dates import DAY_MS, iso_micros, serial_micros, serial_millis, shown
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
from factload.sheet.rules import Rules
from factload.sheet.text_format import UNGROUPED, TextFormat
from factload.sheet.text_values import read_text
from factload.sql_types import SqlType
from factload.vectors import Flags, Positions, as_flags, flags, integers, masked, masked_flags, matches, texts

_CODES = {reason: code for code, reason in enumerate(CELLS, start=1)}  # 0 is no reason
_NAMES = ("", *CELLS)
_KEY_DIGITS = 15  # what Excel keeps of a number: IEEE 754 doubles, shown to 15 digits
_PLAIN_NUMBER = r"\A(?:0|-?[1-9][0-9]{0,14}|-?[1-9][0-9]{0,6}\.[0-9]{0,7}[1-9])\z"


@dataclass(frozen=True, slots=True)
class SheetField:
    """One value that a feed takes from each row.

    ``column`` is the header's name in the sheet, ``name`` is unique and names the Arrow column. A ``required`` one
    is never blank. As a key a number is its digits, of which there are no more than Excel keeps. ``parse_text``: a
    text that writes a value of the type, as ``text_format`` says, is that value; otherwise text is no number, date or
    truth value.
    """

    name: str
    column: str
    role: Literal["key", "value"]
    type: SqlType
    required: bool = False
    parse_text: bool = False
    text_format: TextFormat = UNGROUPED
    rules: Rules | None = None


@dataclass(frozen=True, slots=True)
class TypedRows:
    """Rows that hold something in a mapped column, in the schema of :func:`schema`; and how many held nothing."""

    batch: pa.RecordBatch
    blank: int
    rejected: int


def schema(fields: Sequence[SheetField]) -> pa.Schema:
    """``row`` (Excel's row number), the fields by name, then what a reject needs: null in good rows."""
    return pa.schema(
        [
            pa.field("row", pa.int32()),
            *(pa.field(field.name, arrow_type(field.type)) for field in fields),
            *(pa.field(name, pa.string()) for name in ("reason", "column", "cell", "raw")),
        ]
    )


def type_rows(
    block: Block, fields: Sequence[SheetField], placed: Sequence[int], *, date1904: bool
) -> TypedRows:
    """The block's rows as typed columns. ``placed``: for each field the index of its sheet column (A = 1)."""
    blanks = {index: _blank(block.columns[index]) for index in placed}
    filled = ~np.logical_and.reduce([*blanks.values()])
    filled[list(block.ragged)] = True
    blank = len(block) - int(filled.sum())
    columns, row = {index: block.columns[index] for index in placed}, block.row
    if blank:
        columns = {index: column.filter(filled) for index, column in columns.items()}
        blanks, row = {index: flags_[filled] for index, flags_ in blanks.items()}, row[filled]

    first = np.zeros(len(row), np.uint8)  # the code of each row's first defect
    kept = np.cumsum(filled) - 1  # where each row of the block is among those that are kept
    ragged = {int(kept[at]): text for at, text in block.ragged.items()}
    first[list(ragged)] = _CODES["ragged_row"]
    place = np.zeros(len(row), np.int64)  # and the position of its field
    arrays: list[pa.Array[Any]] = [integers(row)]
    for position, (field, index) in enumerate(zip(fields, placed, strict=True)):
        values, codes = _convert(columns[index], blanks[index], field, date1904=date1904)
        arrays.append(values)
        new = (first == 0) & (codes != 0)
        first[new], place[new] = codes[new], position
    bad = np.flatnonzero(first)
    described = [
        ("", f"A{row[i]}", ragged[int(i)])
        if int(i) in ragged
        else _describe(
            columns[placed[place[i]]],
            int(i),
            fields[place[i]].column,
            placed[place[i]],
            int(row[i]),
            date1904,
        )
        for i in bad
    ]
    reasons: list[str | None] = [_NAMES[first[i]] for i in bad]
    arrays.append(_sparse(reasons, bad, len(row)))
    for part in range(3):
        arrays.append(_sparse([description[part] for description in described], bad, len(row)))
    return TypedRows(pa.RecordBatch.from_arrays(arrays, schema=schema(fields)), blank, len(bad))


def _sparse(found: list[str | None], at: Positions, length: int) -> pa.Array[Any]:
    """Texts at some places of a column, null elsewhere."""
    if not found:
        return pa.nulls(length, pa.string())
    index = np.full(length, len(found), np.int64)
    index[at] = np.arange(len(found))
    return texts([*found, None]).take(integers(index))


def _blank(column: Column) -> Flags:
    """Cells that hold nothing a person sees: none, or text of nothing but white space."""
    text = column.kind == Kind.TEXT
    blank: Flags = column.kind == Kind.BLANK
    return blank | (text & is_blank_text(column.text)) if text.any() else blank


def _convert(
    column: Column, blank: Flags, field: SheetField, *, date1904: bool
) -> tuple[pa.Array[Any], Codes]:
    kind = column.kind
    if field.parse_text:
        column = read_text(column, field.type, field.text_format)
        kind = column.kind
    if field.role == "value" and field.type.kind == "text":
        blank = kind == Kind.BLANK
    codes = np.zeros(len(kind), np.uint8)
    if field.required:
        codes[blank] = _CODES["blank_key" if field.role == "key" else "blank_value"]
    codes[kind == Kind.ERROR] = _CODES["error_cell"]
    codes[kind == Kind.NO_VALUE] = _CODES["formula_without_value"]
    open_ = ~blank & (codes == 0)  # still to be read
    values, found = _BY_TYPE[field.type.kind](column, field, open_, date1904)
    codes[open_] = found[open_]
    if field.rules is not None:
        for reason, broken in broken_rules(values, field.rules):
            codes[broken & (codes == 0)] = _CODES[reason]
    return values, codes


def _none_but(text: pa.Array[Any], which: Flags) -> pa.Array[Any]:
    return text if which.all() else pc.if_else(flags(which), text, pa.nulls(1, pa.string())[0])


def _numbers(column: Column, field: SheetField, open_: Flags, _: bool) -> tuple[pa.Array[Any], Codes]:
    number = open_ & ((column.kind == Kind.NUMBER) | (column.kind == Kind.SERIAL))
    text = _none_but(column.text, number)
    bad, far = _CODES["not_a_number"], _CODES["number_out_of_range"]
    if field.type.kind == "numeric":
        values, codes = to_numeric(text, field.type, bad, far)
    elif field.type.kind == "integer":
        values, codes = to_integer(text, field.type, bad, _CODES["not_an_integer"], far)
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
            _number_key(raw, field) if kind == Kind.NUMBER else (_seen(kind, raw, date1904), 0)
            for kind, raw in zip(
                column.kind[odd].tolist(), column.text.filter(flags(odd)).to_pylist(), strict=True
            )
        ]
        codes[odd] = [code for _, code in seen]
        text = pc.replace_with_mask(text, flags(odd), texts(shown_text for shown_text, _ in seen))
    if field.type.length is not None:
        codes[as_flags(pc.greater(pc.utf8_length(text), field.type.length))] = _CODES["text_too_long"]
    return text, codes


def _number_key(raw: str, field: SheetField) -> tuple[str | None, int]:
    number = parse_decimal(raw)
    if number is None:
        return None, _CODES["not_a_number"]
    if field.role == "key" and significant_digits(number) > _KEY_DIGITS:
        return None, _CODES["key_too_long_number"]
    return plain_text(number), 0


def _moments(column: Column, field: SheetField, open_: Flags, date1904: bool) -> tuple[pa.Array[Any], Codes]:
    whole_days = field.type.kind == "date"
    codes = np.zeros(len(column.kind), np.uint8)
    number = open_ & ((column.kind == Kind.NUMBER) | (column.kind == Kind.SERIAL))
    micros, certain = serial_micros(_none_but(column.text, number), date1904=date1904)
    if whole_days:
        codes[certain & (micros % (DAY_MS * 1000) != 0)] = _CODES["not_a_date"]
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
    index = np.frombuffer(encoded.indices.buffers()[1], np.int32)[: len(encoded)]
    distinct, back = np.unique(index * 256 + kinds, return_inverse=True)
    raws = encoded.dictionary.take(integers(distinct // 256)).to_pylist()
    moments = [
        _moment(kind, raw, date1904, whole_days)
        for kind, raw in zip((distinct % 256).tolist(), raws, strict=True)
    ]
    micros = np.array([moment or 0 for moment in moments], np.int64)[back]
    bad = np.array([moment is None for moment in moments], np.bool_)[back]
    return micros, np.where(bad, _CODES["not_a_date"], 0).astype(np.uint8)


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
    codes = np.where(open_ & ~good, _CODES["not_a_boolean"], 0).astype(np.uint8)
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


def _seen(kind: int, raw: str, date1904: bool) -> str:
    """What a person reads in such a cell."""
    if kind == Kind.BOOLEAN:
        return {"1": "TRUE", "0": "FALSE"}.get(raw, raw)
    moment = _moment(kind, raw, date1904, False) if kind in (Kind.SERIAL, Kind.ISO_DATE) else None
    return raw if moment is None else shown(moment)


def _describe(
    column: Column, at: int, header: str, index: int, row: int, date1904: bool
) -> tuple[str, str, str | None]:
    kind = int(column.kind[at])
    raw = None if kind == Kind.BLANK else _seen(kind, str(column.text[at]), date1904)
    return header, f"{column_letters(index)}{row}", raw
