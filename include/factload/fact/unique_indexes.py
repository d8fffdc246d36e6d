"""What the fact table allows once: its unique indexes, and what of a load they would refuse."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table, column, func, inspect, select, table
from sqlalchemy.engine import Connection

from factload.fact.relation import sql_name

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
