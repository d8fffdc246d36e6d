"""Locks, and who holds the one that could not be had in time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any, Literal

import psycopg2
from sqlalchemy import Executable, Row, Table, column, func, or_, select, table
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement

from factload.errors import TransientError
from factload.postgres.catalog import partition_tree, pg_class
from factload.postgres.errors import sqlstate
from factload.postgres.tables import sql_name
from factload.settings import settings

_LOCK_NOT_AVAILABLE = "55P03"
_NAMED_AT_MOST = 3
# https://www.postgresql.org/docs/current/explicit-locking.html: what ROW EXCLUSIVE has to wait for
_IN_THE_WAY = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")

LockMode = Literal[
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
]

_OF_A_ROW = re.compile(r'in relation "([^"]+)"')

_locks = table(
    "pg_locks",
    column("database"),
    column("relation"),
    column("pid"),
    column("mode"),
    column("granted"),
    schema="pg_catalog",
)
_database = table("pg_database", column("oid"), column("datname"), schema="pg_catalog")
_activity = table(
    "pg_stat_activity",
    column("pid"),
    column("usename"),
    column("application_name"),
    column("xact_start"),
    schema="pg_catalog",
)


class LockTable(Executable, ClauseElement):
    """``LOCK TABLE … IN … MODE``. ROW EXCLUSIVE: the INSERT's own lock, taken early so that lock_timeout applies.
    SHARE: blocks writers."""

    inherit_cache = False

    def __init__(self, table: Table, mode: LockMode) -> None:
        self.table, self.mode = table, mode


@compiles(LockTable)
def _lock_table(element: LockTable, compiler: Any, **_: Any) -> str:
    return f"LOCK TABLE {compiler.preparer.format_table(element.table)} IN {element.mode} MODE"


@contextmanager
def locked(connection: Connection, target: Table, mode: LockMode) -> Iterator[None]:
    """``target`` is locked in ``mode``, and the block works on it.

    A lock that isn't granted in time, here or in the block, raises ``TransientError`` that names who has it.
    """
    with _holders_named(connection, sql_name(connection, target)), connection.begin_nested():
        connection.execute(LockTable(target, mode))
        yield


@contextmanager
def holders_named(connection: Connection) -> Iterator[None]:
    """The same for the locks of whatever statement of the block: its transaction is rolled back first."""
    with _holders_named(connection, None):
        yield


@contextmanager
def _holders_named(connection: Connection, target: str | None) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, psycopg2.Error) as error:  # COPY goes to the driver itself
        if sqlstate(error) != _LOCK_NOT_AVAILABLE:
            raise
        if target is None:
            connection.rollback()
        raise _who(connection, _table_of_row(error) or target) from error


def _table_of_row(error: DBAPIError | psycopg2.Error) -> str | None:
    """The table whose row it was, where it was a row's lock: of a dimension perhaps, that a foreign key looks at."""
    bare = error.orig if isinstance(error, DBAPIError) else error
    found = _OF_A_ROW.search(getattr(getattr(bare, "diag", None), "context", None) or "")
    return found[1] if found else None


def _who(connection: Connection, name: str | None) -> TransientError:
    found = _holders(connection, name)
    shown = "; ".join(_shown(row, named=name is None) for row in found[:_NAMED_AT_MOST])
    more = len(found) - _NAMED_AT_MOST
    return TransientError(
        "lock_timeout",
        f"{name or 'a table'} could not be locked within {settings().lock_timeout} seconds: "
        + (shown or "whoever held it has just let go")
        + (f"; and {more} more" if more > 0 else ""),
        remedy="Wait until that has ended, or end it; then run the load again. Nothing was published",
    )


def _holders(connection: Connection, name: str | None) -> list[Row[Any]]:
    """Sessions with a lock on the table or a partition of it, or on any table: those in everybody's way, else those
    that write."""
    this_database = (
        select(_database.c.oid).where(_database.c.datname == func.current_database()).scalar_subquery()
    )
    query = (
        select(
            _locks.c.pid,
            _locks.c.mode,
            _locks.c.granted,
            pg_class.c.relname,
            _activity.c.usename,
            _activity.c.application_name,
            _activity.c.xact_start,
        )
        .distinct()
        .join(_activity, _activity.c.pid == _locks.c.pid)
        .join(pg_class, pg_class.c.oid == _locks.c.relation)
        .where(
            _locks.c.database == this_database,
            _locks.c.pid != func.pg_backend_pid(),
            _locks.c.mode != "AccessShareLock",
        )
        .order_by(_locks.c.granted.desc(), _activity.c.xact_start)
    )
    if name is None:
        return list(
            connection.execute(
                query.where(_locks.c.mode.in_(_IN_THE_WAY), pg_class.c.relkind.in_(("r", "p")))
            )
        )
    tree = partition_tree(func.to_regclass(name))
    named = or_(
        pg_class.c.relname == name,  # as the server names it, without a schema
        _locks.c.relation == func.to_regclass(name),
        _locks.c.relation.in_(select(tree.c.relid)),
    )
    found: list[Row[Any]] = list(connection.execute(query.where(named)))
    return [row for row in found if row.mode in _IN_THE_WAY] or found


def _shown(row: Row[Any], *, named: bool) -> str:
    since = f", since {row.xact_start.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if row.xact_start else ""
    return (
        f"pid {row.pid} {'holds' if row.granted else 'waits for'} {row.mode}{f' on {row.relname}' if named else ''} "
        f"(user {row.usename}, application {row.application_name or 'unnamed'}{since})"
    )
