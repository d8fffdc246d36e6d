"""The partitioned fact table, its partitions, indexes and constraints, as PostgreSQL's catalog has them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from psycopg2.sql import Identifier
from sqlalchemy import MetaData, Table, text
from sqlalchemy.engine import Connection

from factload.fact.exchange.bounds import Bound, Value, read_bound
from factload.fact.relation import relation_of
from factload.postgres.statements import table_name

_MOST_BYTES = 63  # of a name

Strategy = Literal["", "LIST", "RANGE", "HASH"]
_STRATEGIES: dict[str | None, Strategy] = {None: "", "l": "LIST", "r": "RANGE", "h": "HASH"}

_PARENT = text("""
    SELECT n.nspname, c.relname, p.partstrat, p.partnatts, a.attname, pg_get_userbyid(c.relowner), c.relispartition,
           p.partdefid, current_setting('server_version_num')::int
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = c.oid
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0] AND a.attnum > 0
    WHERE c.oid = :oid
""")
_PARTITIONS = text("""
    SELECT c.oid, n.nspname, c.relname, c.relkind::text, pg_get_expr(c.relpartbound, c.oid)
    FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE i.inhparent = :oid
""")
# What comes after USING is the index's definition whatever its name and table. Only the server can say the rest.
_INDEXES = text("""
    SELECT x.indexrelid, i.relname, x.indisunique,
           substr(pg_get_indexdef(x.indexrelid), length(format('CREATE %sINDEX %I ON %s%I.%I ',
               CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END, i.relname,
               CASE WHEN t.relkind = 'p' THEN 'ONLY ' ELSE '' END, n.nspname, t.relname)) + 1),
           coalesce(s.spcname, ''), coalesce(k.contype::text, ''), coalesce(k.condeferrable, false),
           coalesce(k.condeferred, false), x.indisvalid AND x.indisready
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = i.reltablespace
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid
        AND k.contype IN ('p', 'u', 'x')
    WHERE x.indrelid = :oid
    ORDER BY x.indexrelid
""")
_FOREIGN_KEYS = text("""
    SELECT conname, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''), convalidated, confrelid
    FROM pg_catalog.pg_constraint
    WHERE conrelid = :oid AND contype = 'f'
      AND (conparentid = 0 OR NOT EXISTS (SELECT FROM pg_catalog.pg_constraint p
                                          WHERE p.oid = conparentid AND p.conrelid = :oid))
    ORDER BY oid
""")
_COLUMNS = text("""
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation::bigint, a.attnotnull, a.attgenerated::text,
           CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END
    FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped
""")
_CHECKS = text("""
    SELECT conname, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', '')
    FROM pg_catalog.pg_constraint WHERE conrelid = :oid AND contype = 'c'
""")


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table of the catalog, as messages and statements name it."""

    oid: int
    schema: str
    name: str

    @property
    def full_name(self) -> str:
        """For messages."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> Identifier:
        """For statements that the driver composes."""
        return table_name(self.schema, self.name)

    @property
    def table(self) -> Table:
        """For statements of SQLAlchemy."""
        return Table(self.name, MetaData(), schema=self.schema)


@dataclass(frozen=True, slots=True)
class Partition(NamedTable):
    """One partition. ``kind``: pg_class.relkind, ``r`` for a plain table."""

    kind: str
    bound: Bound


@dataclass(frozen=True, slots=True)
class TableIndex:
    """An index, whatever its name: ``definition`` is what comes after the table's name. ``constraint``: ``p`` for a
    primary key, ``u`` for a unique constraint, ``x`` for an exclusion constraint, or nothing; ``tablespace``: empty for
    the default one."""

    oid: int
    name: str
    unique: bool
    definition: str
    tablespace: str
    constraint: str
    deferrable: bool
    deferred: bool
    valid: bool


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key of the table. ``referenced``: the oid of the table that it points to."""

    name: str
    definition: str
    validated: bool
    referenced: int


@dataclass(frozen=True, slots=True)
class Parent(NamedTable):
    """The fact table. ``key``: the column that it is partitioned by, where it is one column; ``default``: the default
    partition's oid, 0 for none; ``nested``: whether it is itself a partition; ``server``: 180004 is version 18.4."""

    strategy: Strategy
    key: str | None
    owner: str
    nested: bool
    default: int
    server: int

    def readable_name(self, feed: str, period: date) -> str:
        """What the partition of a load is called that has none yet: ``fact_sales_sales_2026_11_05``."""
        return cut(f"{self.name}_{feed}_{period:%Y_%m_%d}")

    def partitions(self, connection: Connection) -> list[Partition]:
        """All of them, the default one too."""
        _iso_dates(connection)
        return [
            Partition(oid, schema, name, kind, read_bound(bound))
            for oid, schema, name, kind, bound in connection.execute(_PARTITIONS, {"oid": self.oid})
        ]

    def default_partition(self, connection: Connection) -> Partition | None:
        """The one that takes what no other does."""
        return next((each for each in self.partitions(connection) if each.oid == self.default), None)

    def partition_of(self, connection: Connection, value: Value) -> Partition | None:
        """The one whose bound takes rows with ``value`` in the key."""
        return next((each for each in self.partitions(connection) if each.bound.takes(value)), None)


def cut(name: str) -> str:
    """A name as long as PostgreSQL takes them, and still another than any that begins alike."""
    if len(name.encode()) <= _MOST_BYTES:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return name.encode()[: _MOST_BYTES - len(digest) - 1].decode("utf-8", "ignore") + "_" + digest


def parent_of(connection: Connection, fact: Table) -> Parent:
    """The fact table, partitioned or not."""
    oid = relation_of(connection, fact).oid
    schema, name, strategy, columns, key, owner, nested, default, server = connection.execute(
        _PARENT, {"oid": oid}
    ).one()
    return Parent(
        oid,
        schema,
        name,
        _STRATEGIES[strategy],
        key if columns == 1 else None,
        owner,
        nested,
        default or 0,
        server,
    )


def indexes_of(connection: Connection, oid: int) -> list[TableIndex]:
    """The indexes of a table, those of its constraints too."""
    return [TableIndex(*row) for row in connection.execute(_INDEXES, {"oid": oid})]


def foreign_keys_of(connection: Connection, oid: int) -> list[ForeignKey]:
    """The foreign keys of a table, without those that PostgreSQL keeps for the partitions of a referenced table."""
    return [ForeignKey(*row) for row in connection.execute(_FOREIGN_KEYS, {"oid": oid})]


def shape_of(connection: Connection, oid: int, *, without: Sequence[str] = ()) -> set[tuple[object, ...]]:
    """What a partition has as its parent has it: columns, and CHECK constraints; none of the names in ``without``."""
    found = [*connection.execute(_COLUMNS, {"oid": oid}), *connection.execute(_CHECKS, {"oid": oid})]
    return {tuple(row) for row in found if row[0] not in without}


def _iso_dates(connection: Connection) -> None:
    """The bounds of dates are written as this setting says."""
    connection.execute(text("SELECT set_config('datestyle', 'ISO', true)"))
