"""``publish_load``: the reconciled load becomes visible, in one transaction."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from factload.fact import publish, staged
from factload.fact.modes.registry import mode_of
from factload.fact.table import fact_table
from factload.feed.model import Feed
from factload.ledger import ledger
from factload.ledger.opening import last_publication
from factload.load import Load
from factload.reconcile import counts
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import step
from factload.steps.reconcile import prove


@again_after_conflict
def publish_load(load: Load, feed: Feed, *, database: str) -> int:
    """Make the reconciled load visible; returns the rows published. Published already: nothing is done.

    The proof is made once more, of rows that nobody else can change any more, in the transaction that publishes them.
    """
    with step(load, feed, "publish", "", database) as connection:
        with connection.begin():
            publishable = ("reconciled", "failed", "published")
            if ledger.fence(connection, load, *publishable) != "published":
                # In the order of load_partition: first the staging table, then the load.
                staged.keep_others_out(connection, staged.staging_of(connection, load, feed))
            if ledger.fence(connection, load, *publishable, lock="update") == "published":
                return int(ledger.attempt(connection, load).published_rows)
            result = prove(connection, load, feed)
            rows = _publish(connection, load, feed, result) if result.publishable else 0
        counts.require_agreement(load.load_id, result)
    counts.require_within_limits(load.load_id, result, feed.max_rejects, feed.min_rows)
    return rows


def _publish(connection: Connection, load: Load, feed: Feed, result: counts.Reconciliation) -> int:
    fact = fact_table(connection, feed)
    table = mode_of(feed.fact).staging_table(load, feed, fact)
    last = last_publication(connection, load.load_id)
    written = publish.publish_rows(connection, load, feed, fact, table, last)
    rows, totals = written.content.rows, written.content.totals
    for warning in written.warnings:
        ledger.add_warning(connection, load, warning)
    in_scale = {n: counts.EXACT.quantize(t, result.totals[n]) for n, t in totals.items()}  # equal to it
    ledger.record_published(connection, load, rows, {n: f"{t:f}" for n, t in in_scale.items()})
    return rows
