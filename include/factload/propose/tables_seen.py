"""What was seen in the database: tables, their columns, and their foreign keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    MetaData,
    Table,
    cast,
    column,
    func,
    inspect,
    literal,
    select,
    type_coerce,
    types,
)
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import ReflectedColumn

from factload.postgres.indexes import unique_columns
from factload.postgres.tables import split_name
from factload.postgres.types import column_type
from factload.sql_types import SqlType


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column. ``type`` is what a feed would declare for it, ``None`` where there is no such type; ``needed``
    says that it may not be null and that nothing but the feed fills it, ``default`` that it fills itself."""

    name: str
    type: SqlType | None
    needed: bool
    generated: bool
    default: bool = False
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class SeenTable:
    """One table: its columns, what is unique in it, and for each column the (table, column) it refers to.

    ``primary_key``: its column where it is one alone; ``unique``: the other unique sets of columns.
    """

    name: str
    columns: tuple[TableColumn, ...]
    primary_key: str | None
    unique: tuple[tuple[str, ...], ...]
    refers: dict[str, tuple[str, str]]

    @property
    def called(self) -> str:
        """Its name without the schema."""
        return self.name.rpartition(".")[2]

    def column(self, name: str) -> TableColumn | None:
        return next((c for c in self.columns if c.name == name), None)


def look_at_tables(connection: Connection, schema: str | None = None) -> dict[str, SeenTable]:
    """The tables of one schema (default: the first of the search path), by the name a feed gives them."""
    inspector = inspect(connection)
    keys = inspector.get_multi_pk_constraint(schema=schema)
    unique = inspector.get_multi_unique_constraints(schema=schema)
    indexes = inspector.get_multi_indexes(schema=schema)
    foreign = inspector.get_multi_foreign_keys(schema=schema)
    found = {}
    for table, columns in inspector.get_multi_columns(schema=schema).items():
        name = _feed_name(*table)
        sets = [tuple(u["column_names"]) for u in unique.get(table, ())]
        sets += [unique_columns(index) for index in indexes.get(table, ())]
        primary = keys[table]["constrained_columns"] if table in keys else []
        found[name] = SeenTable(
            name,
            tuple(_column(c) for c in columns),
            primary[0] if len(primary) == 1 else None,
            tuple(dict.fromkeys(columns for columns in sets if columns and columns != tuple(primary))),
            {
                key["constrained_columns"][0]: (
                    _feed_name(key["referred_schema"], key["referred_table"]),
                    key["referred_columns"][0],
                )
                for key in foreign.get(table, ())
                if len(key["constrained_columns"]) == 1
            },
        )
    return found


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The tables there are, and what of their rows a proposal asks for; without a connection there is nothing."""

    tables: dict[str, SeenTable]
    connection: Connection | None = None
    schemas: frozenset[str] = frozenset()

    def members_among(self, table: str, key: str, texts: Sequence[str]) -> int:
        """How many of these texts are business keys in ``key`` of a dimension ``table``."""
        if self.connection is None or not texts:
            return 0
        business_key = cast(column(key), types.Text)
        members = select(func.count(business_key.distinct())).select_from(_table(table))
        return int(self.connection.scalar(members.where(business_key.in_(texts))) or 0)

    def is_empty(self, table: str) -> bool:
        """Whether a table has no rows."""
        if self.connection is None:
            return True
        return self.connection.scalar(select(literal(1)).select_from(_table(table)).limit(1)) is None

    def ends_on_last_days(self, table: str, keys: Sequence[str], history: tuple[str, str]) -> bool:
        """Whether members of a table are valid to the day before the next one begins, and none to that day itself.
        ``history``: columns of the type date."""
        if self.connection is None:
            return False
        schema, name = split_name(table)
        columns: list[Column[Any]] = [
            *(Column(day, types.Date) for day in history),
            *(Column(key, types.Text) for key in keys),
        ]
        members = Table(name, MetaData(), *columns, schema=schema)
        one, other, (start, end) = members.alias(), members.alias(), history
        days = type_coerce(other.c[start] - one.c[end], types.Integer)
        counts = select(func.count().filter(days == 1), func.count().filter(days == 0))
        same = [one.c[key] == other.c[key] for key in keys]
        the_day_after, the_same_day = self.connection.execute(counts.where(*same)).one()
        return bool(the_day_after and not the_same_day)

    def is_unique(self, table: str, key: str) -> bool:
        """Whether no two rows of a table have the same value in ``key``, spaces around it aside."""
        if self.connection is None:
            return True
        trimmed = func.btrim(cast(column(key), types.Text))
        counts = select(func.count(trimmed), func.count(trimmed.distinct())).select_from(_table(table))
        every, distinct = self.connection.execute(counts).one()
        return bool(every == distinct)


def _table(name: str) -> Table:
    schema, table = split_name(name)
    return Table(table, MetaData(), schema=schema)


def _feed_name(schema: str | None, table: str) -> str:
    return f"{schema}.{table}" if schema else table


def _column(found: ReflectedColumn) -> TableColumn:
    generated = bool(found.get("identity") or found.get("computed"))
    free = found["nullable"] or generated or found.get("default") is not None
    default = found.get("default") is not None
    is_time = isinstance(found["type"], types.Date | types.DateTime)
    return TableColumn(
        found["name"], column_type(found["type"]).declared, not free, generated, default, is_time
    )
