"""The advisory lock that keeps a load's staging from being swept, held as long as a step's connection lives."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection

from factload.load import Load

_LOCK_NAMESPACE = 0x66616374


def at_work(connection: Connection, load: Load) -> None:
    """Keep the load's staging from being swept until this connection ends, however it ends."""
    connection.execute(select(func.pg_advisory_lock_shared(_lock_of(load.load_id))))


def is_at_work(connection: Connection, load_id: str) -> bool:
    """Whether a step is at work on the load; if not, none begins before the transaction ends."""
    return not connection.scalar(select(func.pg_try_advisory_xact_lock(_lock_of(load_id))))


def _lock_of(load_id: str) -> ColumnElement[int]:
    return func.hashtextextended(load_id, _LOCK_NAMESPACE)
