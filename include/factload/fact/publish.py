"""Staging to fact, in one transaction: readers see a load's old rows or its new ones, never a part, never both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from factload.fact.members.changes import bring_up_to_date
from factload.fact.members.said import forget_said
from factload.fact.modes.publishing import Published, Publishing
from factload.fact.modes.registry import mode_named, mode_of
from factload.fact.relation import acts_on_statements, relation_of
from factload.fact.table import fact_table
from factload.fact.unique import once_only
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
    """Bring the staged rows into ``fact`` as the feed's mode says, and members up to date, inside the caller's
    transaction.

    ``proved``: what they come to; ``last``: the last publication of this load. Raises ``ReconciliationError`` unless
    what stands in the table then is what was staged; and ``TransientError`` when the table is locked for too long.
    """
    mode = mode_of(feed.fact)
    at = _publishing(connection, load, feed, fact, last)
    # Members are locked as late as can be, but not while readers wait for a partition to be exchanged.
    if not mode.reads_back:
        bring_up_to_date(connection, load, feed, fact, at.staging)
    published = mode.publish(at, proved)
    if mode.reads_back:
        bring_up_to_date(connection, load, feed, fact, at.staging)
    forget_said(connection, load, feed)
    return published


def can_publish_slices(connection: Connection, feed: Feed, fact: Table) -> bool:
    """Whether it comes to the same if rows go into ``fact`` while others are still being staged.

    Not where rows may turn out to be rejects once all are there (``once_only``), or belong to other versions of
    members, nor where something acts on statements, of which there would be several: a trigger, a rule, a view.
    """
    if mode_of(feed.fact).publish_slices is None or feed.versioned_dimensions:
        return False
    if once_only(connection, feed, fact):
        return False
    return not acts_on_statements(connection, relation_of(connection, fact))


def publish_slices(
    connection: Connection,
    load: Load,
    feed: Feed,
    fact: Table,
    last: Publication | None,
    slices: Iterable[Collection[int]],
    prove: Callable[[], None],
) -> Published:
    """The same as ``publish_rows`` for rows that are still being staged, where ``can_publish_slices``.

    ``slices``: the numbers of the slices that are staged, as they come; ``prove``: called when they all are in
    ``fact``; from then on nobody can change a staged row, or it raises that they don't add up.
    """
    publish = mode_of(feed.fact).publish_slices
    if publish is None:
        raise TypeError(f"mode {feed.fact.mode} publishes no slices")
    at = _publishing(connection, load, feed, fact, last)
    published = publish(at, slices, prove)
    bring_up_to_date(connection, load, feed, fact, at.staging)
    forget_said(connection, load, feed)
    return published


def _publishing(
    connection: Connection, load: Load, feed: Feed, fact: Table, last: Publication | None
) -> Publishing:
    staging = mode_of(feed.fact).staging_table(load, feed, fact)
    standing = last.rows if last is not None and mode_named(last.mode).replaces else 0
    return Publishing(connection, load, feed, fact, staging, last, standing)
