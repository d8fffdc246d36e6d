"""One step at work: its connection, what its errors mean, and its time and memory in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection

from factload.database import database_errors, engine_for
from factload.errors import FeedError
from factload.feed.model import Feed
from factload.ledger import ledger
from factload.load import Load, content_of
from factload.work.measure import Measurement, measured
from factload.work.memory import give_back


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
    with database_errors(doing), engine.connect() as connection:
        with measured() as measurement:
            yield connection
        connection.rollback()  # a step that only reads may leave its transaction open
        with connection.begin():
            record(connection, load, name, item, measurement)


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
