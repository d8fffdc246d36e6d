"""One step at work: its connection, what its errors mean, and its time and memory in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection

from factload.errors import FeedError, Superseded, TransientError, WorkbookError
from factload.feed.model import Feed
from factload.ledger import ledger
from factload.load import Load, content_of
from factload.memory import give_back
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.postgres.locks import holders_named
from factload.runtime.measure import Measurement, measured
from factload.staging.whole import STAGING_LOST


@contextmanager
def step(load: Load, feed: Feed, name: str, item: str, database: str) -> Iterator[Connection]:
    """A connection for one step; its time and peak memory go into the ledger when it has ended well.

    Raises ``FeedError`` when the feed is no longer the one that the load was opened with.
    """
    if content_of(load.workbook_sha256, feed.fingerprint, load.corrections) != load.content:
        raise FeedError(
            "feed_changed",
            f"the feed file of {load.feed} changed since this load was opened",
            remedy="Run the load again from open_load",
        )
    give_back()
    engine = engine_for(database)
    doing = f"working on {name} of {load.load_id}"
    with database_errors(doing), engine.connect() as connection, holders_named(connection):
        with measured() as measurement, _superseded_first(connection, load):
            yield connection
        connection.rollback()  # a step that only reads may leave its transaction open
        with connection.begin():
            record(connection, load, name, item, measurement)


@contextmanager
def _superseded_first(connection: Connection, load: Load) -> Iterator[None]:
    """A newer attempt removes the files of those before it, perhaps since another workbook lies in the place of theirs:
    whichever of the two an old attempt finds first, it is told of the newer one, and not of a disk or a workbook."""
    try:
        yield
    except (TransientError, WorkbookError) as error:
        if isinstance(error, WorkbookError) or error.code in STAGING_LOST:
            connection.rollback()
            try:
                ledger.fence(connection, load, *ledger.UNFINISHED, "published")
            except Superseded as newer:
                raise newer from error
        raise


def record(connection: Connection, load: Load, name: str, item: str, measurement: Measurement) -> None:
    """Note in the ledger that a step ran."""
    ledger.record_step(
        connection,
        load,
        name,
        item,
        measurement.started,
        measurement.finished,
        measurement.peak_rss_mb,
    )
