"""The fact table of a feed, as it is in the database: whether it takes what the feed gives it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Column, Table, types
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.column_types import misfit
from factload.fact.constants import constant_defects
from factload.fact.relation import relation_defects
from factload.fact.unique import upsert_defects
from factload.feed.model import MAX_FEED_NAME, Feed
from factload.postgres.tables import missing_columns, reflect
from factload.postgres.type_names import is_short_text, type_name

LOAD_ID_LENGTH = MAX_FEED_NAME + len("@2026-11-05")
LOAD_NAMESPACE = UUID("6c1f5b0e-0f2b-5d0c-9c0b-5d6d0f4a7e11")  # any, but never another


def fact_table(connection: Connection, feed: Feed) -> Table:
    """The feed's fact table, checked: every column there, of a type that holds what the feed declares.

    Raises ``FeedError`` that names every defect.
    """
    fact = feed.fact
    table = reflect(connection, fact.table, {})
    needed = {name: f"fact.columns.{name}" for name in fact.columns}
    if fact.load_column is not None:
        needed[fact.load_column] = "fact.load_column"
    defects = [*missing_columns(table, fact.table, needed), *_fact_defects(table, feed)]
    defects += relation_defects(connection, table, fact)
    if fact.mode.keys and not defects:
        defects += upsert_defects(connection, feed, table)
    if defects:
        raise FeedError.together(defects)
    return table


def _fact_defects(table: Table, feed: Feed) -> Iterator[FeedError]:
    """Why columns that are there can't take what the feed gives them."""
    fact = feed.fact
    for name, source in fact.columns.items():
        if name in table.c and table.c[name].info["generated"]:
            yield FeedError(
                "column_generated",
                f"fact.columns.{name} is a generated column: {fact.table} fills it itself",
                remedy=f"Leave {name} out of the feed",
            )
        if name not in table.c or source.type is None:
            continue
        if told := misfit(source, source.type, table.c[name].type):
            seen, remedy = told
            yield FeedError(
                "column_type",
                f"fact.columns.{name} is declared {source.type}, and {fact.table}.{name} {seen}",
                remedy=remedy,
            )
    yield from constant_defects(table, feed)
    load_column = fact.load_column or ""
    if load_column in table.c and (refused := _load_column_defect(table.c[load_column])):
        yield refused
    filled = {*fact.columns, load_column}
    for column in table.columns:
        if column.name not in filled and not column.nullable and column.server_default is None:
            yield FeedError(
                "column_unfilled",
                f"column {column.name} of {fact.table} is NOT NULL, has no default, and the feed does not fill it",
                remedy=f"Add it to fact.columns, or give {column.name} a default",
            )


def load_key(column: Column[Any], load_id: str) -> str | UUID | int:
    """What the load column holds for ``load_id``; raises ``FeedError`` for a column that can't hold it.

    Text as it is; in a uuid column its UUID version 5 in the namespace ``LOAD_NAMESPACE``; in a bigint column the
    first 63 bits of its SHA-256.
    """
    if refused := _load_column_defect(column):
        raise refused
    if isinstance(column.type, types.Uuid):
        return uuid5(LOAD_NAMESPACE, load_id)
    if isinstance(column.type, types.BigInteger):
        return int.from_bytes(hashlib.sha256(load_id.encode()).digest()[:8]) >> 1
    return load_id


def _load_column_defect(column: Column[Any]) -> FeedError | None:
    kind = column.type
    plain = not isinstance(kind, ENUM) and not is_short_text(kind)
    if plain and isinstance(kind, types.String) and (kind.length is None or kind.length >= LOAD_ID_LENGTH):
        return None
    if isinstance(kind, (types.Uuid, types.BigInteger)) and not column.info["generated"]:
        return None
    return FeedError(
        "load_column_type",
        f"the load column {column.name} is {type_name(kind)}",
        expected=f"text, or varchar of {LOAD_ID_LENGTH} characters or more, for values such as sales@2026-11-05; "
        "or uuid, or bigint",
        remedy="Change the column's type, or name another in fact.load_column",
    )
