"""Who holds the lock that a load waited for in vain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any, Literal

from sqlalchemy import Executable, Row, Table, column, func, or_, select, table
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement

from factload.errors import TransientError
from factload.settings import settings

_LOCK_NOT_AVAILABLE = "55P03"
_NAMED_AT_MOST = 3
# https://www.postgresql.org/docs/current/explicit-locking.html: what ROW EXCLUSIVE has to wait for
_IN_THE_WAY = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")

_locks = table(
    "pg_locks", column("relation"), column("pid"), column("mode"), column("granted"), schema="pg_catalog"
)
_activity = table(
    "pg_stat_activity",
    column("pid"),
    column("usename"),
    column("application_name"),
    column("xact_start"),
    schema="pg_catalog",
)


class LockTable(Executable, ClauseElement):
    """``LOCK TABLE … IN … MODE``: ROW EXCLUSIVE is what an INSERT takes, but waited for with a bound; SHARE keeps
    whoever writes out."""

    inherit_cache = False

    def __init__(self, table: Table, mode: Literal["ROW EXCLUSIVE", "SHARE"]) -> None:
        self.table, self.mode = table, mode


@compiles(LockTable)
def _lock_table(element: LockTable, compiler: Any, **_: Any) -> str:
    return f"LOCK TABLE {compiler.preparer.format_table(element.table)} IN {element.mode} MODE"


@contextmanager
def locked(connection: Connection, target: Table) -> Iterator[None]:
    """``target`` is locked for writing beside others, and the block works on it.

    A lock that isn't granted in time, here or in the block, raises ``TransientError`` that names who has it.
    """
    try:
        with connection.begin_nested():
            connection.execute(LockTable(target, "ROW EXCLUSIVE"))
            yield
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise _who(connection, target) from error


def _who(connection: Connection, target: Table) -> TransientError:
    # As in a statement, where a percent sign stands twice.
    name = connection.dialect.identifier_preparer.format_table(target) % ()
    found = _holders(connection, name)
    shown = "; ".join(map(_shown, found[:_NAMED_AT_MOST]))
    more = len(found) - _NAMED_AT_MOST
    return TransientError(
        "lock_timeout",
        f"{name} could not be locked within {settings().lock_timeout} seconds: "
        + (shown or "whoever held it has just let go")
        + (f"; and {more} more" if more > 0 else ""),
        remedy="Wait until that has ended, or end it; then run the load again. Nothing was published",
    )


def _holders(connection: Connection, name: str) -> list[Row[Any]]:
    """Sessions with a lock on the table or a partition of it: those in everybody's way, else those that write."""
    relation = func.to_regclass(name)
    tree = func.pg_partition_tree(relation).table_valued("relid", "parentrelid", "isleaf", "level")
    query = (
        select(
            _locks.c.pid,
            _locks.c.mode,
            _locks.c.granted,
            _activity.c.usename,
            _activity.c.application_name,
            _activity.c.xact_start,
        )
        .distinct()
        .join(_activity, _activity.c.pid == _locks.c.pid)
        .where(
            or_(_locks.c.relation == relation, _locks.c.relation.in_(select(tree.c.relid))),
            _locks.c.pid != func.pg_backend_pid(),
            _locks.c.mode != "AccessShareLock",
        )
        .order_by(_locks.c.granted.desc(), _activity.c.xact_start)
    )
    found: list[Row[Any]] = list(connection.execute(query))
    return [row for row in found if row.mode in _IN_THE_WAY] or found


def _shown(row: Row[Any]) -> str:
    since = f", since {row.xact_start.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if row.xact_start else ""
    return (
        f"pid {row.pid} {'holds' if row.granted else 'waits for'} {row.mode} "
        f"(user {row.usename}, application {row.application_name or 'unnamed'}{since})"
    )
