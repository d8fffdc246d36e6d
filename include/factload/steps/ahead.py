"""What one machine does ahead of the steps, beside the one before: while partitions are staged or proved, the database
has a processor to spare. Nothing depends on it: the steps find done what was done, and do the rest."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from factload.errors import ConnectionLost, FactloadError, Superseded
from factload.fact import publish, staged
from factload.fact.table import fact_table
from factload.feed.model import Feed
from factload.ledger import ledger, partitions
from factload.ledger.opening import last_publication
from factload.load import DimensionMap, Load, PartitionFile
from factload.reconcile import counts
from factload.runtime.step import step
from factload.steps.publish import record_publication
from factload.steps.reconcile import prove
from factload.steps.resume import digest_of

_ASKED_EVERY_SECONDS = 0.02
# Where a pooler has one connection alone, this transaction keeps the partitions from being staged.
_WAITED_FOR_SECONDS = 5.0
# Each INSERT reads the whole staging table for its slices: their number must not grow with that of the partitions.
_STATEMENTS_AT_MOST = 8

_log = logging.getLogger(__name__)


class _NotAhead(Exception):  # control flow: caught here, never shown
    """The staged rows don't add up, or are not within the feed's limits; or they don't come."""


def publish_as_staged(
    load: Load, feed: Feed, files: Sequence[PartitionFile], maps: Sequence[DimensionMap], *, database: str
) -> None:
    """Publish the load in one transaction that begins while its partitions are still being staged.

    The proof is the one of ``publish_load``, made once the last row is in and nobody can change one. Where that fails,
    or anything else, the transaction is rolled back and ``publish_load`` says what is wrong. ``files``, ``maps``: those
    of all ``load_partition``; the caller ends this process when one of them fails.
    """
    with (
        step(load, feed, "publish", "", database) as connection,
        _left_to_publish(load),
        connection.begin(),
    ):
        _publish(connection, load, feed, files, maps)


def complete_staging(load: Load, feed: Feed, *, database: str) -> None:
    """What ``publish_load`` does first with the staging table, once the last row is in."""
    with step(load, feed, "publish", "", database) as connection, _left_to_publish(load):
        fence = partial(ledger.fence, connection, load, *ledger.UNFINISHED, "published")
        publish.complete_staging(connection, load, feed, fence)


@contextmanager
def _left_to_publish(load: Load) -> Iterator[None]:
    """What can't be done ahead is left to ``publish_load``, which says what is wrong if it still is."""
    try:
        yield
    except (Superseded, ConnectionLost):
        raise
    except (DBAPIError, FactloadError, _NotAhead) as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        _log.info("nothing of %s is published ahead: %s", load.load_id, _kind(error))


def _publish(
    connection: Connection,
    load: Load,
    feed: Feed,
    files: Sequence[PartitionFile],
    maps: Sequence[DimensionMap],
) -> None:
    fact = fact_table(connection, feed)
    if not publish.can_publish_slices(connection, feed, fact):
        return
    last = last_publication(connection, load.load_id)
    proofs: list[counts.Reconciliation] = []

    def prove_all() -> None:
        # In the order of load_partition: first the staging table, then the load.
        staged.keep_others_out(connection, staged.staging_of(connection, load, feed))
        ledger.fence(connection, load, *ledger.UNFINISHED, lock="update")
        proofs.append(prove(connection, load, feed))
        if not proofs[0].publishable:
            raise _NotAhead

    slices = _as_they_are_staged(connection, load, files, maps)
    published = publish.publish_slices(connection, load, feed, fact, last, slices, prove_all)
    record_publication(connection, load, feed, published, proofs[0])


def _as_they_are_staged(
    connection: Connection, load: Load, files: Sequence[PartitionFile], maps: Sequence[DimensionMap]
) -> Iterator[Collection[int]]:
    """The slices' numbers, several at a time, once the ledger has that they were staged from what this attempt has.

    Raises ``_NotAhead`` when for some seconds none has come.
    """
    arrived = time.monotonic()
    ready: list[str] = []
    wanted = {file.partition_id: digest_of(file, maps) for file in files}
    at_a_time = -(-len(wanted) // _STATEMENTS_AT_MOST)
    while wanted:
        ledger.fence(connection, load, *ledger.UNFINISHED)
        known = partitions.staged_from(connection, load)
        before = ready
        ready = [
            partition_id for partition_id, made_of in wanted.items() if known.get(partition_id) == made_of
        ]
        if len(ready) >= min(at_a_time, len(wanted)):
            yield [staged.slice_key(partition_id) for partition_id in ready]
            wanted = {
                partition_id: made_of for partition_id, made_of in wanted.items() if partition_id not in ready
            }
        elif ready != before:  # more have come, or the last ones were taken
            arrived = time.monotonic()
        elif time.monotonic() - arrived > _WAITED_FOR_SECONDS:
            raise _NotAhead
        else:
            time.sleep(_ASKED_EVERY_SECONDS)


def _kind(error: Exception) -> str:
    """What is said of an error in a log, where no value of a row may stand."""
    return error.code if isinstance(error, FactloadError) else type(error).__name__
