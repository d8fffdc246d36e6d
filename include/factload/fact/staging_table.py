"""The staging table that a load's rows wait in, as every mode has it that inserts them into the fact table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Enum, Integer, MetaData, Table, Text, cast, inspect
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

from factload.fact.resolve import ROW
from factload.feed.model import Feed
from factload.ledger.tables import STAGING_SCHEMA
from factload.load import Load

SLICE = "factload_slice"


def staging_table(load: Load, feed: Feed, fact: Table) -> Table:
    """This load's staging table: the fact table's columns, and which partition and row each row came from."""
    return staging_of_types(load, _types(feed, fact))


def staging_of_types(load: Load, types: Mapping[str, TypeEngine[Any]]) -> Table:
    """The same with columns of these types."""
    return Table(load.staging_table, MetaData(schema=STAGING_SCHEMA), *_columns(types))


def temporary_staging(name: str, feed: Feed, fact: Table) -> Table:
    """The same columns in a temporary table, which is gone with its transaction."""
    columns = _columns(_types(feed, fact))
    return Table(name, MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


def _types(feed: Feed, fact: Table) -> dict[str, TypeEngine[Any]]:
    # The labels of an enum are checked as they go into the fact table.
    types = {name: fact.c[name].type for name in feed.fact.columns}
    return {name: Text() if isinstance(kind, Enum) else kind for name, kind in types.items()}


def _columns(types: Mapping[str, TypeEngine[Any]]) -> list[Column[Any]]:
    return [
        Column(SLICE, BigInteger, nullable=False),
        Column(ROW, Integer, nullable=False),
        *(Column(name, kind) for name, kind in types.items()),
    ]


def as_in_fact(fact: Table, staging: Table, name: str) -> ColumnElement[Any]:
    """A staged column as the fact table holds it: labels of an enum are staged as texts."""
    column, staged = fact.c[name], staging.c[name]
    return cast(staged, column.type) if isinstance(column.type, Enum) else staged


def make_staging(connection: Connection, load: Load, feed: Feed, fact: Table, staging: Table) -> bool:
    """Create the table unless it is there; whether it was created."""
    if inspect(connection).has_table(staging.name, schema=staging.schema):
        return False
    staging.create(connection)
    return True
