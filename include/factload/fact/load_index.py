"""Whether the rows of one load can be found without reading the whole fact table: by an index that begins with the load
column, or since the table is partitioned by it. Told by the catalog alone.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    ColumnElement,
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

from factload.fact.advice import Advice
from factload.fact.relation import Relation, relation_of
from factload.feed.model import Feed
from factload.postgres.catalog import partition_tree, pg_attribute, pg_class, pg_index
from factload.postgres.tables import sql_name

FEWEST_ROWS = 10_000  # a smaller table is read in milliseconds
_HASH = "h"  # pg_partitioned_table.partstrat

_partitioned = table(
    "pg_partitioned_table",
    column("partrelid"),
    column("partstrat"),
    column("partnatts"),
    column("partattrs", ARRAY(SmallInteger)),  # begins at 0
    schema="pg_catalog",
)


def load_index_advice(connection: Connection, feed: Feed, fact: Table) -> Advice | None:
    """Advice to make an index, where each load of this feed reads ``FEWEST_ROWS`` rows or more to find its own.

    None for a view, whose rows are those of other tables; nor for a table that was never analysed, since nobody knows
    how large it is.
    """
    load_column = feed.fact.load_column
    if load_column is None:
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
        "load column",
        f"{lacking} that begins with the load column {load_column}, and about {rows:,} rows there: every load with "
        f"`mode: {feed.fact.mode.kind}` finds its rows by that column, so it reads {read}, when it deletes what it "
        "published before and when it reads back what it publishes",
        f"`CREATE INDEX ON {sql_name(connection, fact)} ({quoted})`",
    )


def _rows_read(connection: Connection, found: Relation, load_column: str) -> int:
    """About how many rows are in the table, or in those partitions of it, that are read whole."""
    tree = partition_tree(found.oid)
    tables = pg_class.c.oid == found.oid
    if found.is_partitioned:
        above = or_(_partitioned.c.partrelid == found.oid, _partitioned.c.partrelid == tree.c.parentrelid)
        unpruned = ~exists().where(above, _partitioned_by(load_column))
        tables = pg_class.c.oid.in_(select(tree.c.relid).where(tree.c.isleaf, unpruned))
    rows = connection.scalar(
        select(func.sum(func.greatest(pg_class.c.reltuples, 0))).where(  # -1: never analysed
            tables, pg_class.c.relkind == "r", ~exists().where(_index_begins_with(load_column))
        )
    )
    return int(rows or 0)


def _index_begins_with(load_column: str) -> ColumnElement[bool]:
    """Whether an index of ``_class`` finds the rows with one value in the column. An index of another collation than
    the column's can't."""
    return and_(
        pg_index.c.indrelid == pg_class.c.oid,
        pg_index.c.indpred.is_(None),
        pg_index.c.indisvalid,
        pg_index.c.indisready,
        pg_attribute.c.attrelid == pg_index.c.indrelid,
        pg_attribute.c.attnum == pg_index.c.indkey[0],
        pg_attribute.c.attcollation == pg_index.c.indcollation[0],
        pg_attribute.c.attname == load_column,
    )


def _partitioned_by(load_column: str) -> ColumnElement[bool]:
    """Whether the value of the column alone says which partitions hold the row: a hash is one of all its columns."""
    return and_(
        pg_attribute.c.attrelid == _partitioned.c.partrelid,
        pg_attribute.c.attnum == _partitioned.c.partattrs[0],
        pg_attribute.c.attname == load_column,
        or_(_partitioned.c.partstrat != _HASH, _partitioned.c.partnatts == 1),
    )
