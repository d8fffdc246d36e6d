"""What the database has: tables, their columns, and which of them point at which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import MetaData, Table, cast, column, func, inspect, select, types
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import ReflectedColumn

from factload.database import split_name
from factload.feed.sql_types import SqlType

_INTEGER_BITS = {"SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column. ``type`` is what a feed would declare for it, ``None`` where there is no such type; ``needed``
    says that it may not be null and that nothing but the feed fills it."""

    name: str
    type: SqlType | None
    needed: bool
    generated: bool


@dataclass(frozen=True, slots=True)
class SeenTable:
    """One table: its columns, its single-column keys, and for each column the (table, column) it refers to."""

    name: str
    columns: tuple[TableColumn, ...]
    primary_key: str | None
    unique: tuple[str, ...]
    refers: dict[str, tuple[str, str]]

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
        alone: list[list[str | None]] = [[*u["column_names"]] for u in unique.get(table, ())]
        alone += [[*i["column_names"]] for i in indexes.get(table, ()) if i.get("unique")]
        primary = keys[table]["constrained_columns"] if table in keys else []
        found[name] = SeenTable(
            name,
            tuple(_column(c) for c in columns),
            primary[0] if len(primary) == 1 else None,
            tuple(dict.fromkeys(c[0] for c in alone if len(c) == 1 and c[0] and c != primary)),
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


def members_among(connection: Connection, table: str, key: str, texts: Sequence[str]) -> int:
    """How many of these texts are business keys in ``key`` of a dimension ``table``."""
    schema, name = split_name(table)
    business_key = cast(column(key), types.Text)
    members = select(func.count(business_key.distinct())).select_from(Table(name, MetaData(), schema=schema))
    return int(connection.scalar(members.where(business_key.in_(texts))) or 0)


def _feed_name(schema: str | None, table: str) -> str:
    return f"{schema}.{table}" if schema else table


def _column(found: ReflectedColumn) -> TableColumn:
    generated = bool(found.get("identity") or found.get("computed"))
    free = found["nullable"] or generated or found.get("default") is not None
    return TableColumn(found["name"], _declared(found["type"]), not free, generated)


def _declared(kind: types.TypeEngine[object]) -> SqlType | None:
    """What a feed declares for a column of this type: the type itself."""
    found: SqlType | None = None
    match kind:
        case types.Float():
            found = SqlType("double")
        case types.Numeric(precision=None):
            found = SqlType("numeric", precision=38, scale=10)
        case types.Numeric():
            found = SqlType("numeric", precision=min(kind.precision or 38, 38), scale=kind.scale or 0)
        case types.Integer():
            found = SqlType("integer", bits=_INTEGER_BITS.get(str(kind), 64))
        case types.String():
            found = SqlType("text", length=kind.length)
        case types.DateTime() if not kind.timezone:
            found = SqlType("timestamp")
        case types.Date():
            found = SqlType("date")
        case types.Boolean():
            found = SqlType("boolean")
    return found
