"""Whether the fact table's columns hold the surrogate keys of the dimensions that fill them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from sqlalchemy import Column, Table, func, or_, select, types
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.feed.model import Feed
from factload.postgres.types import ColumnType, column_type, type_name
from factload.sql_types import integer_range

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
        column = column_type(fact.c[name].type)
        if not _fits(column_type(surrogate.type), column):
            yield FeedError(
                "surrogate_type",
                kinds,
                expected="two columns of one type: integers, numeric, text, uuid or date",
                remedy=f"Correct dimensions.{source.dimension}.surrogate_key or fact.columns.{name}, or change a table",
            )
        elif beyond := _beyond(connection, surrogate, column):
            yield FeedError(
                "surrogate_out_of_range",
                f"{kinds}, and {beyond} members have a key beyond that",
                remedy=f"Widen {feed.fact.table}.{name}",
            )


def _fits(key: ColumnType, column: ColumnType) -> bool:
    """Whether values of the type ``key`` are values of the type ``column``, but for their size."""
    match column.family:
        case "text":
            return key.family in ("text", "name", "integer", "uuid")
        case "numeric":
            fractions = column.scale is None or (key.scale is not None and key.scale <= column.scale)
            return key.family == "integer" or (key.family == "numeric" and fractions)
        case "integer" | "uuid" | "date":
            return key.family == column.family
    return False


def _beyond(connection: Connection, key: Column[object], column: ColumnType) -> int:
    """How many members have a key that the column can't hold: too large, too long, or a date outside its range."""
    if column.family == "integer":
        held = integer_range(column.bits)
        if column_type(key.type).bits <= column.bits:
            return 0
        where = or_(key < held.start, key >= held.stop)
    elif column.family == "text":
        if column.length is None or _longest(column_type(key.type)) <= column.length:
            return 0
        where = func.length(key.cast(types.Text)) > column.length
    elif column.family == "numeric":
        if column.precision is None:
            return 0
        where = func.abs(key) >= 10 ** (column.precision - (column.scale or 0))
    elif column.family == "date":
        where = or_(~func.isfinite(key), key < date.min, key > date.max)
    else:
        return 0
    return connection.scalar(select(func.count()).where(where)) or 0


def _longest(key: ColumnType) -> float:
    """How many characters a key has at most, written as text."""
    if key.family == "integer":
        return len(str(integer_range(key.bits).start))
    if key.family == "uuid":
        return _UUID_LENGTH
    return float("inf") if key.length is None else float(key.length)
