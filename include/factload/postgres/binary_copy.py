"""Rows as COPY's binary format: made of columns by vector operations, and taken by the server without parsing a text.

https://www.postgresql.org/docs/current/sql-copy.html: each value has its length before it, -1 for NULL; what a value is
made of is in the server's ``…_recv`` functions. No value is converted: a column has the type of its values, or no such
form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import types

from factload.postgres.types import ColumnType, column_type
from factload.sql_types import integer_range
from factload.vectors import as_flags, decimal_words, fixed, flags

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

# What a row has at one place: the type of its bytes, and a value for each row, or one for all.
_Field = tuple[str, "npt.NDArray[Any] | int"]
_UInt64s = npt.NDArray[np.uint64]

_BYTES = pa.large_binary()  # the texts of a chunk may be more than 2^31 bytes together
_LENGTH = ">i4"
_NULL = -1
_DAYS, _MICROS = 10_957, 946_684_800_000_000  # from 1970 to 2000, where PostgreSQL begins to count
_BASE, _DIGITS = 10_000, 4  # of numeric, and how many decimal digits that is
_NEGATIVE = 0x4000
_WHOLE = pa.decimal128(19, 0)  # any integer
_SHORT = 18  # digits that 64 bits have room for
_LIMB, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


def has_binary_form(kind: types.TypeEngine[Any], values: pa.Array) -> bool:
    """Whether a column of this type holds such values as they are."""
    column = column_type(kind)
    takes = _TAKES.get(column.family)
    return takes is not None and not isinstance(kind, types.REAL) and takes(values, column)


def _within(values: pa.Array, column: ColumnType) -> bool:
    if not pa.types.is_integer(values.type):
        return False
    held, found = integer_range(column.bits), pc.min_max(values)
    low, high = found["min"].as_py(), found["max"].as_py()
    return low is None or (low in held and high in held)


def binary_rows(kinds: Sequence[types.TypeEngine[Any]], columns: Sequence[pa.Array]) -> bytes | memoryview:
    """The rows of these columns, each of which ``has_binary_form``, without header and trailer."""
    pieces: list[pa.Array] = []
    fields: list[_Field] = [(">i2", len(columns))]  # that stand side by side, and are no piece yet

    def end_piece() -> None:
        if fields:
            pieces.append(_piece(_packed(fields, len(columns[0]))))
            fields.clear()

    for kind, values in zip(kinds, columns, strict=True):
        column, valid = column_type(kind), as_flags(pc.is_valid(values))
        if column.family == "text":
            fields.append((_LENGTH, np.where(valid, fixed(pc.binary_length(values), np.int32), _NULL)))
            end_piece()
            pieces.append(pc.fill_null(values, "").cast(_BYTES))
            continue
        value = _FIELDS[column.family](values, column)
        whole: list[_Field] = [(_LENGTH, sum(np.dtype(of).itemsize for of, _ in value)), *value]
        if valid.all():
            fields += whole
            continue
        end_piece()
        null = pa.scalar(np.array(_NULL, _LENGTH).tobytes(), _BYTES)
        pieces.append(pc.if_else(flags(valid), _piece(_packed(whole, len(values))), null))
    if not pieces:
        return _packed(fields, len(columns[0])).tobytes()
    end_piece()
    joined = pc.binary_join_element_wise(*pieces, pa.scalar(b"", _BYTES))
    return memoryview(joined.buffers()[2])


def _packed(fields: Sequence[_Field], rows: int) -> npt.NDArray[np.void]:
    """The fields side by side, row after row."""
    packed = np.empty(rows, np.dtype([(f"f{place}", kind) for place, (kind, _) in enumerate(fields)]))
    for place, (_, value) in enumerate(fields):
        packed[f"f{place}"] = value
    return packed


def _piece(packed: npt.NDArray[np.void]) -> pa.Array:
    """The same as an array of bytes."""
    rows, width = len(packed), packed.itemsize
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    return pa.Array.from_buffers(_BYTES, rows, [None, pa.py_buffer(offsets), pa.py_buffer(packed)])


def _integers(values: pa.Array, column: ColumnType) -> list[_Field]:
    return [(f">i{column.bits // 8}", fixed(values.cast(pa.int64()), np.int64))]


def _doubles(values: pa.Array, _: ColumnType) -> list[_Field]:
    return [(">f8", fixed(values, np.float64))]


def _dates(values: pa.Array, _: ColumnType) -> list[_Field]:
    return [(">i4", fixed(values, np.int32) - _DAYS)]


def _timestamps(values: pa.Array, _: ColumnType) -> list[_Field]:
    return [(">i8", fixed(values, np.int64) - _MICROS)]


def _booleans(values: pa.Array, _: ColumnType) -> list[_Field]:
    return [("u1", as_flags(values))]


def _numerics(values: pa.Array, _: ColumnType) -> list[_Field]:
    """How many digits, the place of the first, the sign, the scale; then as many digits as the type of the values has
    room for. The server drops zeros at both ends."""
    if pa.types.is_integer(values.type):
        values = values.cast(_WHOLE)
    scale, whole = values.type.scale, values.type.precision - values.type.scale
    before, after = -(-whole // _DIGITS), -(-scale // _DIGITS)
    values = pc.fill_null(values, pa.scalar(0, values.type))
    limbs = _limbs(pc.abs(values))
    _multiply(limbs, 10 ** (after * _DIGITS - scale))
    digits = [_divide(limbs) for _ in range(before + after)][::-1]
    sign = np.where(as_flags(pc.less(values, pa.scalar(0, values.type))), _NEGATIVE, 0)
    head: list[_Field] = [(">i2", len(digits)), (">i2", before - 1), (">i2", sign), (">i2", scale)]
    return [*head, *((">i2", digit) for digit in digits)]


def _limbs(values: pa.Array) -> list[_UInt64s]:
    """Decimals that aren't negative by 32 bits, the lowest first, and room for what they are multiplied by."""
    words = decimal_words(values)
    used = 2 if values.type.precision <= _SHORT else 4
    return [*(words[:, place].astype(np.uint64) for place in range(used)), np.zeros(len(values), np.uint64)]


def _multiply(limbs: list[_UInt64s], by: int) -> None:
    carry: _UInt64s = np.zeros(len(limbs[0]), np.uint64)
    for place, limb in enumerate(limbs):
        product = limb * np.uint64(by) + carry
        limbs[place], carry = product & _LOW, product >> _LIMB


def _divide(limbs: list[_UInt64s]) -> _UInt64s:
    """Divide by numeric's base, in place; returns what is left over."""
    base, rest = np.uint64(_BASE), np.zeros(len(limbs[0]), np.uint64)
    for place in reversed(range(len(limbs))):
        part = (rest << _LIMB) | limbs[place]
        limbs[place] = part // base
        rest = part - limbs[place] * base
    return rest


_TAKES: Mapping[str, Callable[[pa.Array, ColumnType], bool]] = {
    "integer": _within,
    "numeric": lambda values, _: pa.types.is_decimal128(values.type) or pa.types.is_integer(values.type),
    "text": lambda values, _: pa.types.is_string(values.type),
    "double": lambda values, _: pa.types.is_float64(values.type),
    "date": lambda values, _: pa.types.is_date32(values.type),
    "timestamp": lambda values, column: (
        values.type == (pa.timestamp("us", "UTC") if column.zoned else pa.timestamp("us"))
    ),
    "boolean": lambda values, _: pa.types.is_boolean(values.type),
}
_FIELDS: Mapping[str, Callable[[pa.Array, ColumnType], list[_Field]]] = {
    "integer": _integers,
    "numeric": _numerics,
    "double": _doubles,
    "date": _dates,
    "timestamp": _timestamps,
    "boolean": _booleans,
}
