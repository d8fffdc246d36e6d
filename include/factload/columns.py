"""A block's cells as the columns a feed declares, and for each row the first reason why it can't be one.

The type of a value is what the feed says, never what a sample looked like. A cell that isn't of that type makes
its row a reject, with the cell's place and the text a person sees in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from factload.block import Block, Column, Kind, is_blank_text
from factload.cells import column_letters
from factload.dates import DAY_MS, iso_micros, serial_millis, shown
from factload.numbers import (
    Codes,
    parse_decimal,
    plain_text,
    significant_digits,
    to_double,
    to_integer,
    to_numeric,
)
from factload.plain import matches
from factload.sql_types import SqlType, arrow_type

REASONS: Mapping[str, str] = {
    "blank_key": "The key is blank",
    "key_too_long_number": "The key is a number of more than 15 digits: Excel has already lost the rest",
    "blank_value": "The column is required and the cell is blank",
    "not_a_number": "The cell doesn't hold a number",
    "number_out_of_range": "The number is too big for the column",
    "not_an_integer": "The number has a fraction, the column holds whole numbers",
    "not_a_date": "The cell doesn't hold a date that exists, or has a time of day where the column has none",
    "not_a_boolean": "The cell doesn't hold TRUE or FALSE",
    "text_too_long": "The text is longer than the column allows",
    "error_cell": "The cell shows an error",
    "formula_without_value": "The cell holds a formula whose value was never saved: open and save it in Excel",
}
_CODES = {reason: code for code, reason in enumerate(REASONS, start=1)}  # 0 is no reason
_NAMES = ("", *REASONS)
_KEY_DIGITS = 15  # what Excel keeps of a number: IEEE 754 doubles, shown to 15 digits
_PLAIN_NUMBER = r"\A(?:0|-?[1-9][0-9]{0,14}|-?[1-9][0-9]{0,6}\.[0-9]{0,7}[1-9])\z"


@dataclass(frozen=True, slots=True)
class SheetField:
    """One value that a feed takes from each row.

    ``column`` is the header's name in the sheet, ``name`` is unique and names the Arrow column. A key is text
    and never blank; a ``required`` value is never blank.
    """

    name: str
    column: str
    role: Literal["key", "value"]
    type: SqlType
    required: bool = False


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
    filled = np.zeros(len(block), np.bool_)
    for column in {index: block.columns[index] for index in placed}.values():
        filled |= ~_blank(column)
    blank = len(block) - int(filled.sum())
    columns = {i: block.columns[i] if not blank else _filter(block.columns[i], filled) for i in placed}
    row = block.row[filled]

    first = np.zeros(len(row), np.uint8)  # the code of each row's first defect
    place = np.zeros(len(row), np.int64)  # and the position of its field
    arrays: list[pa.Array[Any]] = [pa.array(row, pa.int32())]
    for position, (field, index) in enumerate(zip(fields, placed, strict=True)):
        values, codes = _convert(columns[index], field, date1904=date1904)
        arrays.append(values)
        new = (first == 0) & (codes != 0)
        first[new], place[new] = codes[new], position
    bad = np.flatnonzero(first)
    described = [
        _describe(
            columns[placed[place[i]]],
            int(i),
            fields[place[i]].column,
            placed[place[i]],
            int(row[i]),
            date1904,
        )
        for i in bad
    ]
    reasons = [_NAMES[first[i]] for i in bad]
    for texts in (reasons, *([d[k] for d in described] for k in range(3))):
        arrays.append(_sparse(texts, bad, len(row)))
    return TypedRows(pa.RecordBatch.from_arrays(arrays, schema=schema(fields)), blank, len(bad))


def _filter(column: Column, keep: npt.NDArray[np.bool_]) -> Column:
    return Column(column.kind[keep], column.text.filter(pa.array(keep)))


def _sparse(texts: list[str], at: npt.NDArray[np.int64], length: int) -> pa.Array[Any]:
    if not texts:
        return pa.nulls(length, pa.string())
    index = np.full(length, -1, np.int64)
    index[at] = np.arange(len(at))
    return pa.array(texts, pa.string()).take(pa.array(index, mask=index < 0))


def _blank(column: Column) -> npt.NDArray[np.bool_]:
    """Cells that hold nothing a person sees: none, or text of nothing but white space."""
    text = column.kind == Kind.TEXT
    blank: npt.NDArray[np.bool_] = column.kind == Kind.BLANK
    return blank | (text & is_blank_text(column.text)) if text.any() else blank


def _convert(column: Column, field: SheetField, *, date1904: bool) -> tuple[pa.Array[Any], Codes]:
    kind = column.kind
    blank = _blank(column)
    if field.role == "value" and field.type.kind == "text":
        blank = kind == Kind.BLANK
    codes = np.zeros(len(kind), np.uint8)
    if field.role == "key":
        codes[blank] = _CODES["blank_key"]
    elif field.required:
        codes[blank] = _CODES["blank_value"]
    codes[kind == Kind.ERROR] = _CODES["error_cell"]
    codes[kind == Kind.NO_VALUE] = _CODES["formula_without_value"]
    open_ = ~blank & (codes == 0)  # still to be read
    values, found = _BY_TYPE[field.type.kind](column, field, open_, date1904)
    codes[open_] = found[open_]
    return values, codes


def _none_but(text: pa.Array[Any], which: npt.NDArray[np.bool_]) -> pa.Array[Any]:
    return text if which.all() else pc.if_else(pa.array(which), text, None)


def _numbers(
    column: Column, field: SheetField, open_: npt.NDArray[np.bool_], _: bool
) -> tuple[pa.Array[Any], Codes]:
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


def _texts(
    column: Column, field: SheetField, open_: npt.NDArray[np.bool_], date1904: bool
) -> tuple[pa.Array[Any], Codes]:
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
                column.kind[odd].tolist(), column.text.filter(pa.array(odd)).to_pylist(), strict=True
            )
        ]
        codes[odd] = [code for _, code in seen]
        text = pc.replace_with_mask(
            text, pa.array(odd), pa.array([shown_text for shown_text, _ in seen], pa.string())
        )
    if field.type.length is not None:
        long = pc.greater(pc.utf8_length(text), field.type.length).fill_null(False)
        codes[np.asarray(long.to_numpy(zero_copy_only=False), np.bool_)] = _CODES["text_too_long"]
    return text, codes


def _number_key(raw: str, field: SheetField) -> tuple[str | None, int]:
    number = parse_decimal(raw)
    if number is None:
        return None, _CODES["not_a_number"]
    if field.role == "key" and significant_digits(number) > _KEY_DIGITS:
        return None, _CODES["key_too_long_number"]
    return plain_text(number), 0


def _moments(
    column: Column, field: SheetField, open_: npt.NDArray[np.bool_], date1904: bool
) -> tuple[pa.Array[Any], Codes]:
    whole_days = field.type.kind == "date"
    micros: list[int | None] = []
    codes = np.zeros(len(column.kind), np.uint8)
    known: dict[tuple[int, str], int | None] = {}  # a column of dates has few distinct ones
    for place, (kind, raw, is_open) in enumerate(
        zip(column.kind.tolist(), column.text.to_pylist(), open_.tolist(), strict=True)
    ):
        moment = None
        if is_open:
            if (kind, raw) not in known:
                known[kind, raw] = _moment(kind, raw, date1904, whole_days)
            moment = known[kind, raw]
            if moment is None:
                codes[place] = _CODES["not_a_date"]
        micros.append(moment)
    stamps = pa.array(micros, pa.timestamp("us"))
    return (stamps.cast(pa.date32()) if whole_days else stamps), codes


def _moment(kind: int, raw: str, date1904: bool, whole_days: bool) -> int | None:
    micros = None
    if kind == Kind.ISO_DATE:
        micros = iso_micros(raw)
    elif kind in (Kind.NUMBER, Kind.SERIAL) and (number := parse_decimal(raw)) is not None:
        millis = serial_millis(number, date1904=date1904)
        micros = None if millis is None else millis * 1000
    return None if micros is None or (whole_days and micros % (DAY_MS * 1000)) else micros


def _booleans(
    column: Column, _: SheetField, open_: npt.NDArray[np.bool_], __: bool
) -> tuple[pa.Array[Any], Codes]:
    one = np.asarray(pc.equal(column.text, "1").to_numpy(zero_copy_only=False), np.bool_)
    zero = np.asarray(pc.equal(column.text, "0").to_numpy(zero_copy_only=False), np.bool_)
    good = open_ & (column.kind == Kind.BOOLEAN) & (one | zero)
    codes = np.where(open_ & ~good, _CODES["not_a_boolean"], 0).astype(np.uint8)
    return pa.array(one, mask=~good), codes


_Reader = Callable[[Column, SheetField, npt.NDArray[np.bool_], bool], tuple["pa.Array[Any]", Codes]]
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
