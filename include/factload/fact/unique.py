"""What the fact table allows once: its unique indexes, and what of a load they would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Table, column, func, inspect, select, table
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.relation import sql_name
from factload.feed.model import Feed

_class = table("pg_class", column("oid"), column("relname"), schema="pg_catalog")
_index = table(
    "pg_index",
    column("indexrelid"),
    column("indrelid"),
    column("indimmediate"),
    column("indisvalid"),
    column("indisready"),
    schema="pg_catalog",
)


@dataclass(frozen=True, slots=True)
class UniqueIndex:
    """A unique index over all rows. ``unfit``: why no upsert can use it, in a word; ``nulls_are_equal``: whether
    two rows without a value are the same to it."""

    name: str
    columns: frozenset[str]
    unfit: str
    nulls_are_equal: bool


@dataclass(frozen=True, slots=True)
class OnceOnly:
    """Columns of the fact table whose values, together, may stand in a load once; ``reason``: of another row's reject.
    A row without a value in one of them is like no other, unless ``nulls_are_equal``."""

    columns: tuple[str, ...]
    reason: str
    nulls_are_equal: bool = False


def unique_indexes(connection: Connection, fact: Table) -> list[UniqueIndex]:
    """The table's unique indexes on columns, without a condition."""
    inspector = inspect(connection)
    key = inspector.get_pk_constraint(fact.name, schema=fact.schema)
    found = [(key["name"], key["constrained_columns"], False)] if key["constrained_columns"] else []
    for index in inspector.get_indexes(fact.name, schema=fact.schema):
        options = index.get("dialect_options", {})
        if index["unique"] and "expressions" not in index and not options.get("postgresql_where"):
            columns = [name for name in index["column_names"] if name is not None]
            found.append((index["name"], columns, bool(options.get("postgresql_nulls_not_distinct"))))
    unfit = _unfit(connection, fact)
    return [
        UniqueIndex(str(name), frozenset(columns), unfit.get(str(name), ""), equal)
        for name, columns, equal in found
    ]


def _unfit(connection: Connection, fact: Table) -> dict[str, str]:
    rows = connection.execute(
        select(_class.c.relname, _index.c.indimmediate, _index.c.indisvalid, _index.c.indisready)
        .join(_class, _class.c.oid == _index.c.indexrelid)
        .where(_index.c.indrelid == func.to_regclass(sql_name(connection, fact)))
    )
    return {
        row.relname: "deferrable" if not row.indimmediate else "not valid"
        for row in rows
        if not (row.indimmediate and row.indisvalid and row.indisready)
    }


def upsert_defects(connection: Connection, feed: Feed, fact: Table) -> Iterator[FeedError]:
    """ON CONFLICT needs a unique index on just these columns, over all rows, that is checked at once."""
    indexes = unique_indexes(connection, fact)
    wanted = frozenset(feed.fact.mode.keys)
    same = [index for index in indexes if index.columns == wanted]
    if any(not index.unfit for index in same):
        return
    keys = ", ".join(feed.fact.mode.keys)
    if same:
        yield FeedError(
            "upsert_not_unique",
            f"fact.mode upserts by {keys}, and the unique index {same[0].name} on that is {same[0].unfit}",
            expected="an index that ON CONFLICT can use",
            remedy="Make the constraint NOT DEFERRABLE"
            if same[0].unfit == "deferrable"
            else f"REINDEX INDEX {same[0].name}",
        )
        return
    known = " or ".join(", ".join(sorted(index.columns)) for index in indexes)
    yield FeedError(
        "upsert_not_unique",
        f"fact.mode upserts by {keys}, and {feed.fact.table} has no unique index on just that",
        expected=f"the columns of one, such as {known}" if known else "",
        remedy=f"Create a unique index on ({keys}), or use the columns of another one",
    )


def once_only(connection: Connection, feed: Feed, fact: Table) -> list[OnceOnly]:
    """What may stand in a load once: since the feed says `unique`, since it upserts by it, or since a unique index of
    the table allows no second row. The load column is the same in all rows of a load."""
    found = [
        OnceOnly((name,), "duplicate_value") for name, source in feed.fact.columns.items() if source.unique
    ]
    if feed.fact.mode.keys:
        found.append(OnceOnly(feed.fact.mode.keys, "duplicate_key"))
    known = {frozenset(once.columns) for once in found}
    for index in unique_indexes(connection, fact):
        columns = index.columns - {feed.fact.load_column}
        if columns and columns not in known and columns <= feed.fact.columns.keys():
            known.add(columns)
            in_order = tuple(name for name in feed.fact.columns if name in columns)
            found.append(OnceOnly(in_order, "not_unique", index.nulls_are_equal))
    return found


def with_a_value(feed: Feed, fact: Table) -> Feed:
    """The feed, where a blank cell makes its row a reject also in the columns that the table has as NOT NULL."""
    columns = {
        name: source.model_copy(update={"required": True})
        if source.column is not None and not fact.c[name].nullable
        else source
        for name, source in feed.fact.columns.items()
    }
    return feed.model_copy(update={"fact": feed.fact.model_copy(update={"columns": columns})})
