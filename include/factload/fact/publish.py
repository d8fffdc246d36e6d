"""Staging to fact, in one transaction: readers see a load's old rows or its new ones, never a part, never both."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from factload.fact.modes.publishing import Published, Publishing
from factload.fact.modes.registry import mode_named, mode_of
from factload.fact.table import fact_table
from factload.feed.model import Feed
from factload.ledger.opening import Publication
from factload.load import Load
from factload.reconcile.counts import Reconciliation


def complete_staging(connection: Connection, load: Load, feed: Feed, fence: Callable[[], str]) -> None:
    """What the feed's mode does with the staging table once the last row is in, before the transaction that publishes.

    ``connection`` is in no transaction. Runs any number of times; ``fence`` is called in each transaction, says the
    attempt's state, and raises where a newer one has taken over.
    """
    mode = mode_of(feed.fact)
    if mode.complete is None:
        return
    with connection.begin():
        if fence() == "published":
            return
        fact = fact_table(connection, feed)
    mode.complete(connection, load, fact, mode.staging_table(load, feed, fact), fence)


def publish_rows(
    connection: Connection,
    load: Load,
    feed: Feed,
    fact: Table,
    proved: Reconciliation,
    last: Publication | None,
) -> Published:
    """Bring the staged rows into ``fact`` as the feed's mode says, inside the caller's transaction.

    ``proved``: what they come to; ``last``: the last publication of this load. Raises ``ReconciliationError`` unless
    what stands in the table then is what was staged; and ``TransientError`` when the table is locked for too long.
    """
    mode = mode_of(feed.fact)
    standing = last.rows if last is not None and mode_named(last.mode).replaces else 0
    staging = mode.staging_table(load, feed, fact)
    return mode.publish(Publishing(connection, load, feed, fact, staging, proved, last, standing))
