"""Locks, and who holds the one that could not be had in time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any, Literal, TypeVar

import psycopg2
from sqlalchemy import ColumnElement, Executable, Row, Table, column, func, or_, select, table
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
# https://www.postgresql.org/docs/current/explicit-locking.html: what ROW EXCLUSIVE has to wait for, and beside that
# what ACCESS EXCLUSIVE has to, that waits for everything
_IN_THE_WAY = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
_READERS_AND_WRITERS = ("AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock")
# Who wants ACCESS EXCLUSIVE holds up all readers behind it, so each wait is short, and readers go on in between.
_SHORT_WAIT_MS = 200
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)

_R = TypeVar("_R")

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
def locked_for_writing(connection: Connection, target: Table) -> Iterator[None]:
    """``target`` is locked as its INSERT, UPDATE and DELETE lock it, and the block works on it.

    A lock that isn't granted in time, here or in the block, raises ``TransientError`` that names who has it.
    """
    with _holders_named(connection, sql_name(connection, target)), connection.begin_nested():
        connection.execute(LockTable(target, "ROW EXCLUSIVE"))
        yield


def in_short_waits(connection: Connection, tables: Sequence[Table], work: Callable[[], _R]) -> _R:
    """What ``work`` returns, which takes ACCESS EXCLUSIVE locks on ``tables``: tried in a savepoint, where no wait is
    longer than a fraction of a second, and after a pause again, until the usual bound is over.

    Raises ``TransientError`` then, that names who has a lock.
    """
    bound = time.monotonic() + settings().lock_timeout
    tries = 0
    while True:
        try:
            with connection.begin_nested():
                _bound_waits(connection, f"{_SHORT_WAIT_MS}ms")
                done = work()
                _bound_waits(connection, f"{settings().lock_timeout}s")
                return done
        except DBAPIError as error:
            if sqlstate(error) != _LOCK_NOT_AVAILABLE:
                raise
            if time.monotonic() >= bound:
                names = [sql_name(connection, table) for table in tables]
                raise _who(connection, names, (*_IN_THE_WAY, *_READERS_AND_WRITERS)) from error
        time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
        tries += 1


def _bound_waits(connection: Connection, bound: str) -> None:
    connection.execute(select(func.set_config("lock_timeout", bound, True)))


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
        name = _table_of_row(error) or target
        raise _who(connection, [name] if name else []) from error


def _table_of_row(error: DBAPIError | psycopg2.Error) -> str | None:
    """The table whose row it was, where it was a row's lock: of a dimension perhaps, that a foreign key looks at."""
    bare = error.orig if isinstance(error, DBAPIError) else error
    found = _OF_A_ROW.search(getattr(getattr(bare, "diag", None), "context", None) or "")
    return found[1] if found else None


def _who(
    connection: Connection, names: Sequence[str], in_the_way: Collection[str] = _IN_THE_WAY
) -> TransientError:
    found = _holders(connection, names, in_the_way)
    shown = "; ".join(_shown(row, named=len(names) != 1) for row in found[:_NAMED_AT_MOST])
    more = len(found) - _NAMED_AT_MOST
    return TransientError(
        "lock_timeout",
        f"{' or '.join(names) or 'a table'} could not be locked within {settings().lock_timeout} seconds: "
        + (shown or "whoever held it has just let go")
        + (f"; and {more} more" if more > 0 else ""),
        remedy="Wait until that has ended, or end it; then run the load again. Nothing was published",
    )


def _holders(connection: Connection, names: Sequence[str], in_the_way: Collection[str]) -> list[Row[Any]]:
    """Sessions with a lock on one of the tables or a partition of it, or on any table when none is named: those in the
    way, else those that write."""
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
            or_(_locks.c.mode != "AccessShareLock", _locks.c.mode.in_(in_the_way)),
        )
        .order_by(_locks.c.granted.desc(), _activity.c.xact_start)
    )
    if not names:
        return list(
            connection.execute(query.where(_locks.c.mode.in_(in_the_way), pg_class.c.relkind.in_(("r", "p"))))
        )
    named = or_(*(_is_named(name) for name in names))
    found: list[Row[Any]] = list(connection.execute(query.where(named)))
    return [row for row in found if row.mode in in_the_way] or found


def _is_named(name: str) -> ColumnElement[bool]:
    """Whether a lock is one on this table, or on a partition of it."""
    tree = partition_tree(func.to_regclass(name))
    return or_(
        pg_class.c.relname == name,  # as the server names it, without a schema
        _locks.c.relation == func.to_regclass(name),
        _locks.c.relation.in_(select(tree.c.relid)),
    )


def _shown(row: Row[Any], *, named: bool) -> str:
    since = f", since {row.xact_start.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if row.xact_start else ""
    return (
        f"pid {row.pid} {'holds' if row.granted else 'waits for'} {row.mode}{f' on {row.relname}' if named else ''} "
        f"(user {row.usename}, application {row.application_name or 'unnamed'}{since})"
    )
