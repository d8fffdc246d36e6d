"""What the staged rows of a load say of members, where these change by it: a table beside the staging table.

It comes and goes slice by slice with the staged rows, in their transactions, and is gone once the load is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    Select,
    Table,
    Text,
    cast,
    delete,
    insert,
    inspect,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

from factload.dimension.inferred import rows_of_arrays
from factload.dimension.said import of_member
from factload.dimension.table import dimension_table
from factload.fact.staging_table import SLICE
from factload.feed.model import Feed
from factload.ledger.tables import STAGING_SCHEMA
from factload.load import Load
from factload.postgres.insert import chunks


def said_table(load: Load) -> Table:
    """``dimension``: its name in the feed; ``surrogate``: the member's key as text; ``said``: ``dimension.said``."""
    return Table(
        load.members_table,
        MetaData(schema=STAGING_SCHEMA),
        Column(SLICE, BigInteger, nullable=False),
        Column("dimension", Text, nullable=False),
        Column("surrogate", Text, nullable=False),
        Column("said", JSONB, nullable=False),
    )


def make_said_table(connection: Connection, load: Load, feed: Feed) -> bool:
    """Create the table unless it is there, or the feed changes no members; whether it was created."""
    table = said_table(load)
    if not feed.told_dimensions or inspect(connection).has_table(table.name, schema=table.schema):
        return False
    table.create(connection)
    return True


def forget_said(connection: Connection, load: Load, feed: Feed) -> None:
    """Drop the table, once the load is published."""
    if feed.told_dimensions:
        said_table(load).drop(connection)


def said_of(load: Load, dimension: str, staged: ColumnElement[Any], kind: TypeEngine[Any]) -> Select[Any]:
    """``member`` (the surrogate key, of type ``kind``) and what is ``said`` of it, for each member of a dimension that
    staged rows belong to. ``staged``: the column of the staging table that holds such keys."""
    said = said_table(load)
    belongs = select(literal(1)).where(staged == cast(said.c.surrogate, staged.type)).exists()
    return (
        select(cast(said.c.surrogate, kind).label("member"), said.c.said)
        .ext(distinct_on(said.c.surrogate))
        .where(said.c.dimension == dimension, belongs)
        .order_by(said.c.surrogate, said.c[SLICE])
    )


def replace_said(
    connection: Connection, load: Load, feed: Feed, key: int, said: Mapping[str, pa.Table], *, again: bool
) -> None:
    """Put down what the rows of the slice ``key`` say of members, by dimension, in the caller's transaction.

    ``said``: the members' surrogate keys, then what is said of them, in the feed's order. ``again``: the ledger knows
    of an earlier delivery, which is forgotten first.
    """
    if not said:
        return
    table = said_table(load)
    if again:
        connection.execute(delete(table).where(table.c[SLICE] == key))
    for name, members in said.items():
        dimension = feed.dimensions[name]
        held = dimension_table(connection, name, dimension)
        attributes = list(dimension.unmatched.attributes)
        columns = [dimension.surrogate_key, *attributes]
        for chunk in chunks(members, feed.rows_per_chunk):
            rows, parameters = rows_of_arrays(held, columns, chunk.combine_chunks().columns)
            surrogate = cast(rows.c[dimension.surrogate_key], Text)
            query = select(literal(key, BigInteger), literal(name), surrogate, of_member(rows, attributes))
            connection.execute(insert(table).from_select(list(table.c.keys()), query), parameters)
