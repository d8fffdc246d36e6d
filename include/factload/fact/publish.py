"""Staging to fact, in one transaction: readers see a load's old rows or its new ones, never a part, never both."""

from __future__ import annotations

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from factload.fact.modes.publishing import Publishing, Written
from factload.fact.modes.registry import mode_of
from factload.feed.model import Feed
from factload.ledger.opening import Publication
from factload.load import Load
from factload.postgres.errors import room_for
from factload.postgres.locks import locked
from factload.reconcile.read_back import columns_that_differ, require_same

_ROWS_MEMORY = "64MB"


def publish_rows(
    connection: Connection, load: Load, feed: Feed, fact: Table, staging: Table, last: Publication | None
) -> Written:
    """Bring the staged rows into ``fact`` as the feed's mode says, inside the caller's transaction.

    ``last``: the last publication of this load. Raises ``ReconciliationError`` unless what stands in the table then,
    whatever triggers, rules or policies did, is what was staged; and ``TransientError`` when the table is locked for
    too long.
    """
    at = Publishing(connection, load, feed, fact, staging, last)
    mode = mode_of(feed.fact)
    staged = at.content_of(at.rows_of(staging))
    # What an INSERT returns, and the keys that rows are joined by, are kept in memory, not in a file.
    _, size = connection.execute(
        select(func.set_config("work_mem", _ROWS_MEMORY, True), func.pg_table_size(str(staging)))
    ).one()
    with room_for(f"the staged rows into {feed.fact.table}", size), locked(connection, fact, mode.lock):
        written = mode.publish(at)
        if written.content != staged:
            require_same(load.load_id, staged, written.content, _differing(at, written))
    return written


def _differing(at: Publishing, written: Written) -> list[str]:
    if written.rows is None:
        return []
    return columns_that_differ(
        at.connection, list(at.feed.fact.columns), at.rows_of(at.staging), written.rows
    )
