"""What a table allows once: its unique indexes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table, func, inspect, select
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import ReflectedIndex

from factload.postgres.catalog import pg_class, pg_index
from factload.postgres.tables import sql_name


@dataclass(frozen=True, slots=True)
class UniqueIndex:
    """A unique index over all rows. ``unfit``: why no upsert can use it, in a word; ``nulls_are_equal``: whether
    two rows without a value are the same to it."""

    name: str
    columns: frozenset[str]
    unfit: str
    nulls_are_equal: bool


def unique_columns(index: ReflectedIndex) -> tuple[str, ...]:
    """The columns of a unique index over whole columns and all rows; none of another."""
    partial = index.get("dialect_options", {}).get("postgresql_where")
    if not index.get("unique") or "expressions" in index or partial:
        return ()
    return tuple(name for name in index["column_names"] if name)


def unique_indexes(connection: Connection, owner: Table) -> list[UniqueIndex]:
    """The table's unique indexes on columns, without a condition; its primary key is the first."""
    inspector = inspect(connection)
    key = inspector.get_pk_constraint(owner.name, schema=owner.schema)
    found = [(key["name"], tuple(key["constrained_columns"]), False)] if key["constrained_columns"] else []
    for index in inspector.get_indexes(owner.name, schema=owner.schema):
        if columns := unique_columns(index):
            equal = index.get("dialect_options", {}).get("postgresql_nulls_not_distinct")
            found.append((index["name"], columns, bool(equal)))
    unfit = _unfit(connection, owner)
    return [
        UniqueIndex(str(name), frozenset(columns), unfit.get(str(name), ""), equal)
        for name, columns, equal in found
    ]


def _unfit(connection: Connection, owner: Table) -> dict[str, str]:
    rows = connection.execute(
        select(pg_class.c.relname, pg_index.c.indimmediate, pg_index.c.indisvalid, pg_index.c.indisready)
        .join(pg_class, pg_class.c.oid == pg_index.c.indexrelid)
        .where(pg_index.c.indrelid == func.to_regclass(sql_name(connection, owner)))
    )
    return {
        row.relname: "deferrable" if not row.indimmediate else "not valid"
        for row in rows
        if not (row.indimmediate and row.indisvalid and row.indisready)
    }
