"""Whether the fact table's columns hold the surrogate keys of the dimensions that fill them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from sqlalchemy import Column, Table, func, or_, select, types
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.column_types import INTEGER_BITS
from factload.feed.model import Feed
from factload.postgres.type_names import is_short_text, type_name

_DIGITS = {16: 5, 32: 10, 64: 19}
_UUID_LENGTH = 36


def require_surrogates_fit(
    connection: Connection, feed: Feed, fact: Table, dimensions: Mapping[str, Table]
) -> None:
    """Raise ``FeedError`` that names each column of ``fact`` that can't hold the surrogate keys of its dimension, or
    not those of all members. ``dimensions``: the tables of those that can be read."""
    if defects := list(_defects(connection, feed, fact, dimensions)):
        raise FeedError.together(defects)


def _defects(
    connection: Connection, feed: Feed, fact: Table, dimensions: Mapping[str, Table]
) -> Iterator[FeedError]:
    for name, source in feed.fact.columns.items():
        if source.dimension is None or source.dimension not in dimensions:
            continue
        table = dimensions[source.dimension]
        surrogate = table.c[feed.dimensions[source.dimension].surrogate_key]
        called = f"{feed.dimensions[source.dimension].table}.{surrogate.name}"
        kinds = (
            f"{called} is {type_name(surrogate.type)}, and {feed.fact.table}.{name}, which it fills, is "
            + type_name(fact.c[name].type)
        )
        if not _fits(surrogate.type, fact.c[name].type):
            yield FeedError(
                "surrogate_type",
                kinds,
                expected="two columns of one type: integers, numeric, text, uuid or date",
                remedy=f"Correct dimensions.{source.dimension}.surrogate_key or fact.columns.{name}, or change a table",
            )
        elif beyond := _beyond(connection, surrogate, fact.c[name].type):
            yield FeedError(
                "surrogate_out_of_range",
                f"{kinds}, and {beyond} members have a key beyond that",
                remedy=f"Widen {feed.fact.table}.{name}",
            )


def _fits(key: types.TypeEngine[object], column: types.TypeEngine[object]) -> bool:
    """Whether values of the type ``key`` are values of the type ``column``, but for their size."""
    if isinstance(column, ENUM) or isinstance(key, ENUM) or is_short_text(column):
        return False
    if isinstance(column, types.String):
        return isinstance(key, types.String | types.Integer | types.Uuid)
    if isinstance(column, types.Uuid):
        return isinstance(key, types.Uuid)
    if isinstance(column, types.Integer):
        return isinstance(key, types.Integer)
    if isinstance(column, types.Numeric) and not isinstance(column, types.Float):
        return isinstance(key, types.Integer) or (
            isinstance(key, types.Numeric)
            and not isinstance(key, types.Float)
            and (column.scale is None or (key.scale is not None and key.scale <= column.scale))
        )
    return type(column) is type(key) and isinstance(key, types.Date)


def _beyond(connection: Connection, key: Column[object], column: types.TypeEngine[object]) -> int:
    """How many members have a key that the column can't hold: too large, too long, or a date outside its range."""
    if isinstance(column, types.Integer):
        bits = INTEGER_BITS.get(str(column), 64)
        if INTEGER_BITS.get(str(key.type), 64) <= bits:
            return 0
        where = or_(key < -(1 << (bits - 1)), key >= 1 << (bits - 1))
    elif isinstance(column, types.String):
        if column.length is None or _longest(key.type) <= column.length:
            return 0
        where = func.length(key.cast(types.Text)) > column.length
    elif isinstance(column, types.Numeric):
        if column.precision is None:
            return 0
        where = func.abs(key) >= 10 ** (column.precision - (column.scale or 0))
    elif isinstance(column, types.Date):
        where = or_(~func.isfinite(key), key < date.min, key > date.max)
    else:
        return 0
    return connection.scalar(select(func.count()).where(where)) or 0


def _longest(key: types.TypeEngine[object]) -> float:
    if isinstance(key, types.Integer):
        return _DIGITS[INTEGER_BITS.get(str(key), 64)] + 1
    if isinstance(key, types.Uuid):
        return _UUID_LENGTH
    length = getattr(key, "length", None)
    return float("inf") if length is None else float(length)
