"""The warehouse as the engine sees it: its engine, the tables a feed names; what its errors mean is in
``database_errors``, how its connections end in ``connections``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    FetchedValue,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import ClauseElement

from factload.connections import note_backend, watch
from factload.database_errors import database_errors, room_for
from factload.database_url import read_url
from factload.errors import FeedError, did_you_mean
from factload.settings import settings
from factload.type_names import base_type

__all__ = [
    "copy_text",
    "database_errors",
    "engine_for",
    "missing_columns",
    "reflect",
    "room_for",
    "split_name",
]

_LOOK_FOR_THE_CLIENT = "5s"

_QUOTED = re.compile(r'"(?:[^"]|"")+"')
_NAME = re.compile(rf"(?:({_QUOTED.pattern}|(?!\")[^.]*)\.)?(.*)", re.DOTALL)


@lru_cache(maxsize=8)
def engine_for(url: str) -> Engine:
    """The engine of this process for one PostgreSQL URL, in any of the spellings people use; raises ``FeedError``.

    Without a pool: a step uses a connection or two, and holds none while it reads files. What stays from step to
    step is what SQLAlchemy learned: the server's version, and the text of statements. Every transaction begins by
    bounding its waits.
    """
    engine = create_engine(
        read_url(url),
        poolclass=NullPool,
        hide_parameters=True,  # they are rows, and errors are logged
        # Of this engine's own, whatever the server, the database or the role have for a default.
        isolation_level="READ COMMITTED",
        connect_args={"application_name": "factload", "client_encoding": "utf8"},
    )
    watch(engine)
    event.listen(engine, "begin", _bound_waits)
    return engine


def _bound_waits(connection: Connection) -> None:
    """Bound, for this transaction, how long it waits for locks, and how long it may idle holding some: the
    server ends a frozen client's transaction, so its locks never outlive that."""
    here = settings()
    bounds = {
        "lock_timeout": f"{here.lock_timeout}s",
        "idle_in_transaction_session_timeout": f"{here.idle_timeout}s",
        # A statement whose client has died, even one that waits for a lock, ends too.
        "client_connection_check_interval": _LOOK_FOR_THE_CLIENT,
    }
    bound = [func.set_config(name, value, True) for name, value in bounds.items()]
    *_, backend = connection.execute(select(*bound, func.pg_backend_pid())).one()
    note_backend(connection.connection.dbapi_connection, backend)


def copy_text(statement: ClauseElement, connection: Connection) -> str:
    """The SQL of a COPY statement, for the driver's ``copy_expert``, which takes no parameters: a percent sign
    in a name stands there once."""
    return str(statement.compile(connection)) % ()


def split_name(name: str) -> tuple[str | None, str]:
    """``schema.table`` as (schema, table); without a schema the connection's search path decides.

    A part in double quotes is taken as it stands, dots in it too, and two quotes in it are one: SQL's own rule.
    Outside of quotes upper and lower case are kept as well.
    """
    schema, table = _NAME.fullmatch(name).groups()  # type: ignore[union-attr]  # it matches any text
    return schema and _unquoted(schema), _unquoted(table)


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if _QUOTED.fullmatch(part) else part


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
