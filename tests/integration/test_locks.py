"""Writing beside others: waits that end, and errors that name who is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool
from test_protocol import Opened

from conftest import PERIOD, Place
from factload import steps
from factload.errors import TransientError


@contextmanager
def somebody(place: Place, *statements: str) -> Iterator[Connection]:
    """Another session, in a transaction that did these statements."""
    engine = create_engine(place.url, poolclass=NullPool, connect_args={"application_name": "night shift"})
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
        yield connection


@pytest.fixture
def ready(place: Place, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """A load that has only to be published."""
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "1")
    place.workbook([("A1", 1), ("B2", 2)])
    place.load()
    opened = Opened(place, place.feed())
    opened.load_all()
    opened.reconcile()
    return opened


@pytest.mark.parametrize(
    ("statement", "lock"),
    [
        ("LOCK TABLE fact_sales IN ACCESS EXCLUSIVE MODE", "AccessExclusiveLock"),
        ("CREATE INDEX ON fact_sales (metric)", "ShareLock"),
        ("UPDATE fact_sales SET metric = 7", "RowExclusiveLock"),  # holds the rows that are to be replaced
    ],
)
def test_a_locked_table_is_waited_for_and_the_holder_named(
    place: Place, ready: Opened, statement: str, lock: str
) -> None:
    with somebody(place, statement) as holder:
        pid = holder.scalar(text("SELECT pg_backend_pid()"))
        with pytest.raises(TransientError) as caught:
            ready.publish()
    message = str(caught.value)
    assert message.startswith("fact_sales could not be locked within 1 seconds: ")
    assert f"pid {pid} holds {lock} (user postgres, application night shift, since 20" in message
    assert "metric" not in message
    assert ready.publish() == 2


def test_who_waits_in_front_is_named_too(place: Place, ready: Opened) -> None:
    with ThreadPoolExecutor() as pool, somebody(place, "SELECT count(*) FROM fact_sales"):
        # The reader alone is in nobody's way; a change of the table that waits for it is.
        waiting = pool.submit(place.execute, "ALTER TABLE fact_sales ADD COLUMN note text")
        with pytest.raises(TransientError, match="waits for AccessExclusiveLock"):
            while not waiting.done():
                steps.publish_load(ready.load, ready.feed, database=place.url)
                pytest.fail("published before the ALTER TABLE had asked for its lock")
    waiting.result()


def test_a_reader_is_in_nobody_s_way(place: Place, ready: Opened) -> None:
    with somebody(place, "SELECT count(*) FROM fact_sales"):
        assert ready.publish() == 2


def test_two_feeds_may_load_one_table_at_once(place: Place) -> None:
    for day in (5, 6):
        place.workbook([("A1", day)] * 10, PERIOD.replace(day=day))
    feeds = [place.feed(), place.feed(**{"feed: sales": "feed: other"})]
    loads = [Opened(place, feed, PERIOD.replace(day=day)) for feed, day in zip(feeds, (5, 6), strict=True)]
    for opened in loads:
        opened.load_all()
        opened.reconcile()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(Opened.publish, loads)) == [10, 10]
    assert place.rows("SELECT load_id, sum(metric)::int FROM fact_sales GROUP BY 1 ORDER BY 1") == [
        ("other@2026-11-06", 60),
        ("sales@2026-11-05", 50),
    ]
    with somebody(place, "INSERT INTO fact_sales (dimension_id, metric, load_id) VALUES (1, 1, 'other')"):
        again = Opened(place, feeds[0])
        again.load_all()
        again.reconcile()
        assert again.publish() == 10
