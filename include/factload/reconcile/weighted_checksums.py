"""Weighted control totals: each column's sum of Excel row number × value, exact, on both sides of the insert.

Plain sums don't see two keys, or two measures, that have changed places; these do, since every value is tied to
its row. A column counts as what its staging column is: integers and decimals as they are, dates as days,
timestamps as microseconds, booleans as 0 and 1, doubles as the bits of IEEE 754, anything else as 32 bits of a hash of
its text: PostgreSQL's own where we come to the same one (``hashes_alike``), else SHA-256, which costs both sides
several times as much. One more total, ``PRESENT``, tells NULL from zero: row × number of values in the row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    String,
    Table,
    Text,
    cast,
    collate,
    func,
    literal,
    type_coerce,
    types,
)
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.engine import Connection

from factload.postgres.text_hash import SEED, server_hashes_alike, text_hashes
from factload.postgres.types import column_type
from factload.vectors import decimal_words

PRESENT = "values present"

_MOST_ARGUMENTS = 100  # that a function of PostgreSQL takes
_LOW = (1 << 32) - 1
_LONG = 64  # bits of a bigint, whose product with a row's number may overflow
_AS_NUMBERS = ("integer", "numeric", "double", "date", "timestamp", "boolean")
_EPOCH = date(1970, 1, 1)
_MICROSECONDS = 1_000_000
_FULL_PRECISION = 6
_WIDE = pa.decimal128(38, 9)  # for keys that come as text and go into a numeric column


# --- in Python -------------------------------------------------------------------------------------------------


def weighted_totals(rows: pa.Table, row_column: str, table: Table, *, alike: bool) -> dict[str, str]:
    """Column → sum of row number × value over ``rows``, as decimal text, and the same for ``PRESENT``.

    ``rows``: the Excel row numbers in ``row_column``, and columns of the staging ``table``; ``alike``: what
    ``hashes_alike`` says of its database.
    """
    numbers = rows[row_column].combine_chunks()
    totals: dict[str, Decimal | int] = {}
    present: npt.NDArray[np.int64] = np.zeros(len(numbers), np.int64)
    for name in rows.column_names:
        if name == row_column or not _is_weighed(table.c[name].type):
            continue
        values = rows[name].combine_chunks()
        valid = pc.is_valid(values)
        present += valid.to_numpy(zero_copy_only=False)
        kind = table.c[name].type
        totals[name] = _weighted(values.filter(valid), _int64(numbers.filter(valid)), kind, alike)
    totals[PRESENT] = _times(present, _int64(numbers))
    return {
        name: f"{total:f}" if isinstance(total, Decimal) else str(total) for name, total in totals.items()
    }


def _weighted(
    values: pa.Array, numbers: npt.NDArray[np.int64], kind: types.TypeEngine[Any], alike: bool
) -> Decimal | int:
    if column_type(kind).family == "numeric":
        if pa.types.is_string(values.type):
            values = pc.cast(pc.utf8_trim_whitespace(values), _WIDE)
        if pa.types.is_decimal(values.type):
            return Decimal(f"{_times_limbs(values, numbers)}E-{values.type.scale}")  # exact, unlike scaleb
    return _times(_as_integers(values, kind, alike), numbers)


def _as_integers(values: pa.Array, kind: types.TypeEngine[Any], alike: bool) -> npt.NDArray[np.int64]:
    match column_type(kind).family:
        case "double":
            numbers = values.to_numpy(zero_copy_only=False)
            if isinstance(kind, types.REAL):
                numbers = numbers.astype(np.float32)
            doubles: npt.NDArray[np.float64] = numbers.astype(np.float64) + 0.0  # no -0
            return doubles.view(np.int64)
        case "date":
            # Keys come as text.
            days = pc.cast(values, pa.date32()) if pa.types.is_string(values.type) else values
            return _int64(days.view(pa.int32()))
        case "timestamp":
            return _int64(values.view(pa.int64()))
        case "numeric" | "integer" | "boolean":
            return _int64(pc.cast(values, pa.int64()))
    return _text_hashes(values, kind, alike)


def _text_hashes(values: pa.Array, kind: types.TypeEngine[Any], alike: bool) -> npt.NDArray[np.int64]:
    texts = pc.cast(values, pa.string())
    if column_type(kind).family == "uuid":
        for mark in "-{}":
            texts = pc.replace_substring(texts, mark, "")
        texts = pc.ascii_lower(texts)
    if not _keeps_blanks(kind):
        texts = pc.utf8_rtrim(texts, " ")
    if alike:
        return text_hashes(texts) & _LOW
    encoded = pc.dictionary_encode(texts)
    hashes = [_hash(text.as_py()) for text in encoded.dictionary]
    return np.array(hashes, np.int64)[_int64(encoded.indices)] if hashes else np.zeros(0, np.int64)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def _int64(values: pa.Array) -> npt.NDArray[np.int64]:
    numbers: npt.NDArray[np.int64] = values.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return numbers


def _times(values: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> int:
    """The sum of the products, exactly: no factor has more than 32 bits, no partial sum more than 63."""
    return (_sum((values >> 32) * numbers) << 32) + _sum((values & _LOW) * numbers)


def _times_limbs(values: pa.Array, numbers: npt.NDArray[np.int64]) -> int:
    """The same for decimals, which Arrow keeps as four words of 32 bits, the lowest first."""
    words = decimal_words(values)
    limbs = [words[:, i].astype(np.int64) for i in range(3)] + [words[:, 3].view(np.int32).astype(np.int64)]
    return sum(_sum(limb * numbers) << (32 * i) for i, limb in enumerate(limbs))


def _sum(products: npt.NDArray[np.int64]) -> int:
    return (int((products >> 32).sum()) << 32) + int((products & _LOW).sum())


# --- in SQL ----------------------------------------------------------------------------------------------------


def hashes_alike(connection: Connection, columns: Iterable[ColumnElement[Any]]) -> bool:
    """Whether the server hashes texts as we do; asked only if one of the columns is hashed."""
    return any(map(_is_hashed, columns)) and server_hashes_alike(connection)


def weighted_sums(
    table: FromClause, row_column: str, columns: list[str], *, alike: bool, trimmed: bool = False
) -> dict[str, ColumnElement[Any]]:
    """The same totals as aggregates over the staging ``table``, or over rows of it. ``trimmed``: of texts without the
    blanks at their end."""
    row = cast(table.c[row_column], BigInteger)
    weighed = [table.c[name] for name in columns if _is_weighed(table.c[name].type)]
    sums = {str(column.name): _weighted_sum(row, column, alike, trimmed) for column in weighed}
    present = [
        func.num_nonnulls(*weighed[i : i + _MOST_ARGUMENTS]) for i in range(0, len(weighed), _MOST_ARGUMENTS)
    ]
    return sums | {PRESENT: func.sum(row * reduce(add, present, literal(0)))}


def _weighted_sum(
    row: ColumnElement[Any], column: ColumnElement[Any], alike: bool, trimmed: bool
) -> ColumnElement[Any]:
    kind = column_type(column.type)
    match kind.family:
        case "numeric":
            return func.sum(row * column)
        case "integer" if kind.bits < _LONG:
            return func.sum(row * column)
        case "date":
            return func.sum(row * type_coerce(column - cast(_EPOCH, Date), Integer))
        case "boolean":
            return func.sum(row * cast(column, Integer))
    if _is_hashed(column):
        return func.sum(row * _hashed(column, alike, trimmed))
    value = _bits(column)
    # Both factors of a product have 32 bits at most, so it can't overflow; sum(bigint) is exact.
    low = func.sum(row * value.op("&")(_LOW))
    return low + func.sum(row * value.op(">>")(32)) * (1 << 32)


def _bits(column: ColumnElement[Any]) -> ColumnElement[Any]:
    match column_type(column.type).family:
        case "timestamp":
            return cast(func.extract("epoch", column) * _MICROSECONDS, BigInteger)
        case "double":
            return _from_hex(func.encode(func.float8send(cast(column, types.Double) + 0.0), "hex"), 64)
    return column


def _is_hashed(column: ColumnElement[Any]) -> bool:
    return column_type(column.type).family not in _AS_NUMBERS


def _hashed(column: ColumnElement[Any], alike: bool, trimmed: bool) -> ColumnElement[Any]:
    """32 bits, so that no product with a row's number overflows."""
    text: ColumnElement[Any] = cast(column, Text)
    if column_type(column.type).family == "uuid":
        text = func.replace(text, "-", "")
    if trimmed or not _keeps_blanks(column.type):
        text = func.rtrim(text, " ")
    if alike:
        return func.hashtextextended(collate(text, "C"), SEED, type_=BigInteger).op("&")(_LOW)
    digest = func.sha256(func.convert_to(text, "UTF8"))
    return _from_hex(func.encode(func.substr(digest, 1, 4), "hex"), 32)


def _keeps_blanks(kind: types.TypeEngine[Any]) -> bool:
    """Whether blanks at the end of a text are a part of it: char(n) is padded with them."""
    return isinstance(kind, types.Text | types.VARCHAR)


def _from_hex(digits: ColumnElement[Any], bits: int) -> ColumnElement[Any]:
    return cast(cast(func.concat("x", digits, type_=String), BIT(bits)), BigInteger)


def _is_weighed(kind: types.TypeEngine[Any]) -> bool:
    """Whether the column keeps what is put into it: a timestamp of less than microseconds is rounded."""
    precision = getattr(kind, "precision", None)
    return column_type(kind).family != "timestamp" or precision in (None, _FULL_PRECISION)
