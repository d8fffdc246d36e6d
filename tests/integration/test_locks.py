"""Writing beside others: waits that end, and errors that name who is in the way."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from factload import steps
from factload.errors import TransientError
from factload.postgres.errors import database_errors
from tests.integration.opened import Opened
from tests.integration.place import PERIOD, Place


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


@pytest.mark.parametrize(
    ("statement", "step", "told"),
    [
        ("DELETE FROM dim_product WHERE business_key = 'B2'", "publish", "dim_product could not be locked"),
        ("SELECT 1 FROM factload.loads FOR UPDATE", "open", "loads could not be locked"),
        (
            "LOCK TABLE dim_product IN ACCESS EXCLUSIVE MODE",
            "extract",
            "holds AccessExclusiveLock on dim_product",
        ),
        ("LOCK TABLE factload.attempts IN EXCLUSIVE MODE", "open", "holds ExclusiveLock on attempts"),
    ],
)
def test_a_lock_on_another_table_is_told_with_that_table(
    place: Place, ready: Opened, statement: str, step: str, told: str
) -> None:
    place.execute("DELETE FROM fact_sales")
    calls: dict[str, Callable[[], object]] = {
        "publish": ready.publish,
        "open": lambda: steps.open_load(ready.feed, PERIOD, database=place.url, reload=True),
        "extract": lambda: steps.extract_dimension_map(ready.load, ready.feed, "product", database=place.url),
    }
    with somebody(place, statement) as holder:
        pid = holder.scalar(text("SELECT pg_backend_pid()"))
        with pytest.raises(TransientError) as caught:
            calls[step]()
    assert told in str(caught.value)
    assert f"pid {pid} " in str(caught.value)


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
    feeds = [place.feed(), place.feed({"feed": "other"})]
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


def test_a_session_ended_while_it_copies_is_an_error_that_a_retry_helps(place: Place) -> None:
    with (
        pytest.raises(TransientError, match=r"did not answer while|refused with SQLSTATE 57P01 while"),
        database_errors("copying"),
        somebody(place) as connection,
    ):
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        place.execute(f"SELECT pg_terminate_backend({pid})")
        with closing(connection.connection.cursor()) as cursor:
            cursor.copy_expert("COPY dim_product TO STDOUT", io.StringIO())


def test_a_statement_that_waits_for_a_lock_ends_with_its_process(place: Place, ready: Opened) -> None:
    with somebody(place, "LOCK TABLE fact_sales IN ACCESS EXCLUSIVE MODE"):
        program = "import sys; from sqlalchemy import text; from factload.postgres.database import engine_for\nwith engine_for(sys.argv[1]).begin() as c:\n    c.execute(text('SET LOCAL lock_timeout = 60000')); c.execute(text('DELETE FROM fact_sales'))"
        process = subprocess.Popen([sys.executable, "-c", program, place.url])
        waiting = (
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'factload' AND wait_event_type = 'Lock'"
        )
        assert _soon(lambda: bool(place.rows(waiting)))
        process.kill()
        process.wait()
        assert _soon(lambda: not place.rows(waiting))


def _soon(true: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.2)
    return False
