"""``release_load``: a held load is published all the same, on a person's word."""

from __future__ import annotations

from factload.feed.model import Feed
from factload.ledger import ledger
from factload.load import Load
from factload.reconcile import counts
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import step
from factload.steps.reconcile import note_digest, prove


@again_after_conflict
def release_load(load: Load, feed: Feed, *, reason: str, by: str, database: str) -> None:
    """Let a load that is held for its number of rows be published all the same, on the word of a person.

    The proof is made anew first; who, why and when stay in the ledger. It holds for this attempt alone: a changed
    workbook makes another. Raises ``FeedError`` ``not_held``, ``ReconciliationError``, or ``Superseded``.
    """
    with step(load, feed, "release", by, database) as connection, connection.begin():
        state = ledger.fence(connection, load, *ledger.UNFINISHED, "published", "undone", lock="update")
        ledger.record_release(connection, load, state, reason, by)
        if state == "held":
            proved = prove(connection, load, feed)
            note_digest(connection, load, feed, proved)
            counts.require_agreement(load.load_id, proved)
