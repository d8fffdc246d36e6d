"""Why one load can't take its place in a fact table that others may: what stands there, and what is not its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import ColumnElement, MetaData, Table, column, func, literal_column, select
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.advice import Advice
from factload.fact.exchange.bounds import Value
from factload.fact.exchange.fitness import name_defects, partition_defects
from factload.fact.exchange.parent import Parent, Partition, foreign_keys_of, parent_of
from factload.fact.exchange.staging import bound_value
from factload.fact.load_column import carries, load_key
from factload.feed.model import Feed
from factload.postgres.catalog import pg_class, pg_namespace
from factload.postgres.tables import sql_name

FEWEST_ROWS = 10_000  # fewer are read in milliseconds


def place_defects(
    connection: Connection, feed: Feed, fact: Table, load_id: str, period: date
) -> Iterator[FeedError]:
    """What stands in the way of the load's own partition."""
    parent = parent_of(connection, fact)
    value = bound_value(parent, load_id, period, feed, fact)
    old = parent.partition_of(connection, value)
    if old is None:
        yield from name_defects(connection, parent, parent.readable_name(feed.feed, period))
        yield from default_defects(connection, parent, value, feed)
        return
    if defects := list(partition_defects(connection, old)):
        yield from defects
        return
    _, others = shared_with_others(connection, feed, fact, load_id, old)
    if others:
        yield shared(feed, load_id, old, others)


def default_defects(connection: Connection, parent: Parent, value: Value, feed: Feed) -> Iterator[FeedError]:
    """Rows in the default partition that would belong into the load's own: PostgreSQL then makes no such partition."""
    default = parent.default_partition(connection)
    if default is None:
        return
    there = select(func.count()).where(column(parent.key or "") == str(value))
    if rows := connection.scalar(there.select_from(default.table)):
        yield FeedError(
            "exchange_default",
            f"{default.full_name}, the default partition of {feed.fact.table}, holds {rows:,} rows that belong into "
            "the partition of this load",
            remedy=f"Move or delete its rows with this {parent.key}; then run the load again",
        )


def shared_with_others(
    connection: Connection, feed: Feed, fact: Table, load_id: str, old: Partition
) -> tuple[int, int]:
    """How many rows of a partition are the load's, and how many are not, by the load column."""
    load_column = fact.c[feed.fact.load_column or ""]
    carried = column(load_column.name, load_column.type)
    own = func.count().filter(carried == load_key(load_column, load_id))
    rows, of_load = connection.execute(select(func.count(), own).select_from(old.table)).one()
    return of_load, rows - of_load


def shared(feed: Feed, load_id: str, old: Partition, others: int) -> FeedError:
    """The error of a partition that holds rows of ``others`` than this load."""
    return FeedError(
        "exchange_shared",
        f"partition {old.full_name} ({old.bound.definition}) takes the rows of {load_id}, and holds {others:,} rows of "
        "others",
        expected="one partition for one load",
        remedy=f"Partition {feed.fact.table} by {feed.fact.load_column}, or more finely; or use `mode: replace`",
    )


def elsewhere_defects(
    connection: Connection, parent: Parent, feed: Feed, fact: Table, load_id: str, old: Partition | None
) -> Iterator[FeedError]:
    """Rows of the load in other partitions than ``old``, where an earlier feed put them: an exchange takes out one
    partition. By the load column alone there can be none."""
    if parent.key == feed.fact.load_column:
        return
    oid: ColumnElement[int] = literal_column("tableoid").label("oid")
    counted = select(oid, func.count().label("rows")).group_by(oid)
    found = counted.where(carries(fact, feed.fact.load_column, load_id)).subquery("found")
    bound = func.pg_get_expr(pg_class.c.relpartbound, pg_class.c.oid)
    stand = (
        select(
            func.concat(pg_namespace.c.nspname, ".", pg_class.c.relname).label("name"), bound.label("bound")
        )
        .add_columns(found.c.rows)
        .join_from(found, pg_class, pg_class.c.oid == found.c.oid)
        .join(pg_namespace, pg_namespace.c.oid == pg_class.c.relnamespace)
        .where(pg_class.c.oid != (old.oid if old else 0))
        .order_by("name")
    )
    for partition in connection.execute(stand):
        yield FeedError(
            "facts_left_behind",
            f"{partition.rows:,} rows of {load_id} stand in partition {partition.name} ({partition.bound}), which does "
            "not take its rows now: they would stay there, and be loaded a second time",
            expected=f"all rows of the load in the partition of its {parent.key}",
            remedy="Nothing was published. Restore the feed; or move these rows to the new place, or delete them; then "
            "run the load again",
        )


def default_advice(connection: Connection, feed: Feed, fact: Table) -> Advice | None:
    """A default partition is read whole whenever a partition comes in, while the table is locked."""
    parent = parent_of(connection, fact)
    default = parent.default_partition(connection)
    if default is None:
        return None
    rows = connection.scalar(select(pg_class.c.reltuples).where(pg_class.c.oid == default.oid)) or 0
    if rows < FEWEST_ROWS:
        return None
    key = connection.dialect.identifier_preparer.quote(parent.key or "")
    return Advice(
        "default partition",
        f"the default partition of {feed.fact.table} holds about {rows:,.0f} rows: with `mode: exchange` PostgreSQL "
        "reads all of them whenever a load is published, and locks the table meanwhile",
        "Move its rows into partitions of their own; or, where none of them is a load's, say so: "
        f"`ALTER TABLE {sql_name(connection, default.table)} ADD CHECK ({key} IS NULL)`",
    )


def referenced_by(connection: Connection, parent: Parent) -> list[Table]:
    """The tables that the fact table's foreign keys point to, which are locked as well while a partition comes in."""
    oids = [key.referenced for key in foreign_keys_of(connection, parent.oid)]
    found = connection.execute(
        select(pg_namespace.c.nspname, pg_class.c.relname)
        .join(pg_namespace, pg_namespace.c.oid == pg_class.c.relnamespace)
        .where(pg_class.c.oid.in_(oids))
    )
    return [Table(name, MetaData(), schema=schema) for schema, name in found]
