"""``publish_load``: the reconciled load becomes visible, in one transaction."""

from __future__ import annotations

from functools import partial

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, NoResultFound

from factload.decimals import EXACT
from factload.fact import publish, staged
from factload.fact.members.versions import give_versions
from factload.fact.modes.publishing import Published
from factload.fact.table import fact_table
from factload.feed.model import Feed
from factload.ledger import ledger
from factload.ledger.opening import last_publication
from factload.load import Load
from factload.reconcile import counts
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import step
from factload.staging import kept
from factload.steps.reconcile import note_digest, prove

_PUBLISHABLE = ("reconciled", "failed", "published")


@again_after_conflict
def publish_load(load: Load, feed: Feed, *, database: str) -> int:
    """Make the reconciled load visible; returns the rows published. Published already: nothing is done.

    The proof is made once more, of rows that nobody else can change any more, in the transaction that publishes them.
    """
    with step(load, feed, "publish", "", database) as connection:
        try:
            result, rows = _publish_proved(connection, load, feed)
        except (DBAPIError, NoResultFound):
            # Another delivery of this step, which has published, may have taken the staging table from under it.
            connection.rollback()
            with connection.begin():
                published = _published_already(connection, load)
            if published is None:
                raise
            return published
        if result is None:
            return rows
        counts.require_agreement(load.load_id, result)
    counts.require_within_limits(load.load_id, result, feed.max_rejects, feed.min_rows, feed.max_change)
    return rows


def _publish_proved(
    connection: Connection, load: Load, feed: Feed
) -> tuple[counts.Reconciliation | None, int]:
    """The proof, and how many rows were published: none if it fails. There is no proof of what is published already."""
    fence = partial(ledger.fence, connection, load, *_PUBLISHABLE)
    publish.complete_staging(connection, load, feed, fence)
    with connection.begin():
        if fence() != "published":
            # In the order of load_partition: first the staging table, then the load.
            staged.keep_others_out(connection, staged.staging_of(connection, load, feed))
        if (rows := _published_already(connection, load, lock="update")) is not None:
            return None, rows
        result = prove(connection, load, feed)
        return result, _publish(connection, load, feed, result) if result.publishable else 0


def _published_already(connection: Connection, load: Load, lock: str | None = None) -> int | None:
    """The rows of a load that is published; None of one that can be."""
    if ledger.fence(connection, load, *_PUBLISHABLE, lock=lock) != "published":
        return None
    return int(ledger.attempt(connection, load).published_rows)


def _publish(connection: Connection, load: Load, feed: Feed, result: counts.Reconciliation) -> int:
    fact = fact_table(connection, feed)
    last = last_publication(connection, load.load_id)
    if give_versions(connection, load, feed, fact):
        note_digest(connection, load, feed, result)
    published = publish.publish_rows(connection, load, feed, fact, result, last)
    record_publication(connection, load, feed, published, result)
    return published.rows


def record_publication(
    connection: Connection, load: Load, feed: Feed, published: Published, result: counts.Reconciliation
) -> None:
    """Note, in the transaction that publishes, what readers see once it is committed."""
    for warning in published.warnings:
        ledger.add_warning(connection, load, warning)
    in_scale = {n: EXACT.quantize(t, result.totals[n]) for n, t in published.totals.items()}  # equal to it
    totals = {name: f"{total:f}" for name, total in in_scale.items()}
    kept.forget(connection, load.load_id)
    if published.kept_of is not None and feed.keep_previous is not None:
        kept.record(connection, load.load_id, load.epoch, published.kept_of, feed.keep_previous)
    ledger.record_published(connection, load, published.rows, totals, published.digest, published.kept_of)
