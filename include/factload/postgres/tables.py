"""Tables as they are in the database: their names, and their columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Column,
    FetchedValue,
    MetaData,
    Table,
    inspect,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import NoSuchTableError

from factload.errors import FeedError, did_you_mean
from factload.postgres.types import base_type

_QUOTED = re.compile(r'"(?:[^"]|"")+"')
_NAME = re.compile(rf"(?:({_QUOTED.pattern}|(?!\")[^.]*)\.)?(.*)", re.DOTALL)


def split_name(name: str) -> tuple[str | None, str]:
    """``schema.table`` as (schema, table); without a schema the connection's search path decides.

    A part in double quotes is taken as it stands, dots in it too, and two quotes in it are one: SQL's own rule.
    Outside of quotes upper and lower case are kept as well.
    """
    schema, table = _NAME.fullmatch(name).groups()  # type: ignore[union-attr]  # it matches any text
    return schema and _unquoted(schema), _unquoted(table)


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if _QUOTED.fullmatch(part) else part


def sql_name(connection: Connection, table: Table) -> str:
    """The table's name as SQL has it: quoted where it must be."""
    # As in a statement, where a percent sign stands twice.
    return connection.dialect.identifier_preparer.format_table(table) % ()


def reflect(connection: Connection, name: str, needed: dict[str, str]) -> Table:
    """The table called ``name`` with its columns as they are in the database.

    ``needed``: column → the feed's field that names it. Raises ``FeedError`` for a table or column that isn't
    there, naming those that are.
    """
    schema, table = split_name(name)
    inspector = inspect(connection)
    try:
        described = inspector.get_columns(table, schema=schema)
    except NoSuchTableError:
        known = inspector.get_table_names(schema=schema) + inspector.get_view_names(schema=schema)
        raise FeedError(
            "table_missing",
            f"there is no table {name} in the database",
            expected=f"one of {', '.join(sorted(known)[:12]) or '(no tables)'}",
            remedy=did_you_mean(table, known) or "Create it, or correct its name in the feed",
        ) from None
    columns = [
        Column(
            c["name"],
            base_type(c["type"]),
            nullable=c["nullable"] and not getattr(c["type"], "not_null", False),
            info={"generated": _is_generated(c)},
            server_default=FetchedValue() if any(map(c.get, ("default", "identity", "computed"))) else None,
        )
        for c in described
    ]
    found = Table(table, MetaData(), *columns, schema=schema)
    if missing := missing_columns(found, name, needed):
        raise FeedError.together(missing)
    return found


def table_there(connection: Connection, name: str) -> Table | None:
    """The table called ``name``, as ``reflect`` gives it; None where there is none."""
    schema, table = split_name(name)
    if not inspect(connection).has_table(table, schema=schema):
        return None
    return reflect(connection, name, {})


def _is_generated(column: Mapping[str, Any]) -> bool:
    """Whether the database alone fills it: a generated column, or an identity that is one ALWAYS."""
    return bool(column.get("computed")) or bool((column.get("identity") or {}).get("always"))


def missing_columns(table: Table, name: str, needed: Mapping[str, str]) -> list[FeedError]:
    """An error for each of the ``needed`` columns (column → the feed's field that names it) that isn't there."""
    names = [c.name for c in table.columns]
    return [
        FeedError(
            "column_missing",
            f"table {name} has no column {column}, which {field} names",
            expected=f"one of {', '.join(names)}",
            remedy=did_you_mean(column, names) or "Correct the feed, or add the column",
        )
        for column, field in needed.items()
        if column not in names
    ]
