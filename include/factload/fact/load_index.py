"""Whether the rows of one load can be found without reading the whole fact table: by an index that begins with the load
column, or since the table is partitioned by it. Told by the catalog alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Float,
    SmallInteger,
    Table,
    and_,
    column,
    exists,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.engine import Connection

from factload.fact.modes.registry import mode_of
from factload.fact.relation import Relation, relation_of
from factload.feed.model import Feed
from factload.postgres.tables import sql_name

FEWEST_ROWS = 10_000  # a smaller table is read in milliseconds
_HASH = "h"  # pg_partitioned_table.partstrat

_class = table("pg_class", column("oid"), column("relkind"), column("reltuples", Float), schema="pg_catalog")
_attribute = table(
    "pg_attribute",
    column("attrelid"),
    column("attnum"),
    column("attname"),
    column("attcollation"),
    schema="pg_catalog",
)
_index = table(
    "pg_index",
    column("indrelid"),
    column("indkey", ARRAY(SmallInteger)),  # this one and the next begin at 0
    column("indcollation", ARRAY(SmallInteger)),
    column("indpred"),
    column("indisvalid"),
    column("indisready"),
    schema="pg_catalog",
)
_partitioned = table(
    "pg_partitioned_table",
    column("partrelid"),
    column("partstrat"),
    column("partnatts"),
    column("partattrs", ARRAY(SmallInteger)),  # begins at 0
    schema="pg_catalog",
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person should know of a table that can be loaded as it is, and what to do about it."""

    seen: str
    remedy: str


def load_index_advice(connection: Connection, feed: Feed, fact: Table) -> Advice | None:
    """Advice to make an index, where each load of this feed reads ``FEWEST_ROWS`` rows or more to find its own.

    None for a view, whose rows are those of other tables; nor for a table that was never analysed, since nobody knows
    how large it is.
    """
    load_column = feed.fact.load_column
    if load_column is None or not mode_of(feed.fact).replaces:
        return None
    found = relation_of(connection, fact)
    rows = 0 if found.is_view else _rows_read(connection, found, load_column)
    if rows < FEWEST_ROWS:
        return None
    name = feed.fact.table
    if found.is_partitioned:
        lacking, read = f"{name} has partitions without an index", "these partitions"
    else:
        lacking, read = f"{name} has no index", "the whole table"
    quoted = connection.dialect.identifier_preparer.quote(load_column)
    return Advice(
        f"{lacking} that begins with the load column {load_column}, and about {rows:,} rows there: every load with "
        f"`mode: {feed.fact.mode.kind}` finds its rows by that column, so it reads {read}, when it deletes what it "
        "published before and when it reads back what it publishes",
        f"`CREATE INDEX ON {sql_name(connection, fact)} ({quoted})`",
    )


def _rows_read(connection: Connection, found: Relation, load_column: str) -> int:
    """About how many rows are in the table, or in those partitions of it, that are read whole."""
    tree = func.pg_partition_tree(found.oid).table_valued("relid", "parentrelid", "isleaf", "level")
    tables = _class.c.oid == found.oid
    if found.is_partitioned:
        above = or_(_partitioned.c.partrelid == found.oid, _partitioned.c.partrelid == tree.c.parentrelid)
        unpruned = ~exists().where(above, _partitioned_by(load_column))
        tables = _class.c.oid.in_(select(tree.c.relid).where(tree.c.isleaf, unpruned))
    rows = connection.scalar(
        select(func.sum(func.greatest(_class.c.reltuples, 0))).where(  # -1: never analysed
            tables, _class.c.relkind == "r", ~exists().where(_index_begins_with(load_column))
        )
    )
    return int(rows or 0)


def _index_begins_with(load_column: str) -> ColumnElement[bool]:
    """Whether an index of ``_class`` finds the rows with one value in the column. An index of another collation than
    the column's can't."""
    return and_(
        _index.c.indrelid == _class.c.oid,
        _index.c.indpred.is_(None),
        _index.c.indisvalid,
        _index.c.indisready,
        _attribute.c.attrelid == _index.c.indrelid,
        _attribute.c.attnum == _index.c.indkey[0],
        _attribute.c.attcollation == _index.c.indcollation[0],
        _attribute.c.attname == load_column,
    )


def _partitioned_by(load_column: str) -> ColumnElement[bool]:
    """Whether the value of the column alone says which partitions hold the row: a hash is one of all its columns."""
    return and_(
        _attribute.c.attrelid == _partitioned.c.partrelid,
        _attribute.c.attnum == _partitioned.c.partattrs[0],
        _attribute.c.attname == load_column,
        or_(_partitioned.c.partstrat != _HASH, _partitioned.c.partnatts == 1),
    )
