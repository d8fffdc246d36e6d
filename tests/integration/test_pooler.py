"""PgBouncer before the database: loads are exact in session and transaction mode, statement mode is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from factload import steps
from factload.doctor import examine
from factload.errors import FeedError
from factload.ledger.tables import STAGING_SCHEMA
from factload.pipeline import run_load
from factload.postgres.database import engine_for
from factload.progress import Quiet
from tests.integration.opened import Opened
from tests.integration.place import PERIOD, Place
from tests.pooler import Mode, needs_pgbouncer, pooler

NEXT = date(2026, 11, 6)
ROWS = [("A1" if i % 2 else "B2", i) for i in range(6_000)]  # in three partitions, two at once
RIGHT = [(6_000, 17_997_000)]
PUBLISHED = "SELECT count(*), sum(metric)::int FROM fact_sales WHERE load_id = 'sales@2026-11-05'"

pytestmark = needs_pgbouncer


@pytest.mark.parametrize("insert", ["core", "copy"])
@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_load_is_exact_and_leaves_nothing_on_the_pools_connections(
    place: Place, mode: Mode, insert: str
) -> None:
    place.workbook(ROWS)
    with pooler(place.url, mode, default_pool_size=3) as through:
        for _ in range(2):
            run_load(
                place.feed({"insert": insert}),
                PERIOD,
                database=through.url,
                reload=True,
                progress=Quiet(),
            )
            assert place.rows(PUBLISHED) == RIGHT
        assert place.rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    assert place.rows("SELECT count(*) FROM pg_tables WHERE schemaname = :s", s=STAGING_SCHEMA) == [(0,)]


def test_one_connection_of_the_pool_is_enough_for_all_workers(place: Place) -> None:
    place.workbook(ROWS)
    with pooler(place.url, "transaction", default_pool_size=1) as through:
        run_load(place.feed(), PERIOD, database=through.url, progress=Quiet())
    assert place.rows(PUBLISHED) == RIGHT


@pytest.mark.parametrize(("parallelism", "connections"), [(1, 1), (2, 3)])
def test_a_run_has_a_connection_a_worker_and_one_to_publish_with(
    place: Place, parallelism: int, connections: int
) -> None:
    place.workbook(ROWS)
    feed = place.feed({"parallelism": parallelism})
    with pooler(place.url, "session") as through:
        run_load(feed, PERIOD, database=through.url, progress=Quiet())
        assert through.clients_at_once <= connections
    assert place.rows(PUBLISHED) == RIGHT


def test_what_a_load_left_is_swept_although_the_pool_keeps_its_connections(place: Place) -> None:
    place.workbook(ROWS)
    place.workbook(ROWS, NEXT)
    with pooler(place.url, "transaction") as through:
        half_way = Opened(replace(place, url=through.url), place.feed())
        half_way.load_partition(0)
        place.execute("UPDATE factload.attempts SET opened_at = opened_at - interval '15 days'")
        place.execute("UPDATE factload.steps SET finished_at = finished_at - interval '15 days'")
        steps.open_load(place.feed(), NEXT, database=through.url)
        assert place.rows("SELECT to_regclass(:name)", name=half_way.staging) == [(None,)]


def test_two_deliveries_of_a_partition_over_one_pool_add_no_row_twice(place: Place) -> None:
    place.workbook(ROWS)
    with pooler(place.url, "transaction", default_pool_size=2) as through:
        opened = Opened(replace(place, url=through.url), place.feed())
        same = [
            threading.Thread(target=opened.run, args=("load_partition 1",)),
            threading.Thread(target=opened.run, args=("load_partition 1",)),
        ]
        for delivery in same:
            delivery.start()
        for delivery in same:
            delivery.join()
        opened.load_all()
        opened.reconcile()
        assert opened.publish() == 6_000
    assert place.rows(PUBLISHED) == RIGHT


@pytest.mark.parametrize("what", [steps.open_load, run_load])
def test_statement_mode_is_refused_in_a_sentence(place: Place, what: Callable[..., object]) -> None:
    place.workbook(ROWS)
    with pooler(place.url, "statement") as through, pytest.raises(FeedError) as refused:
        what(place.feed(), PERIOD, database=through.url)
    assert refused.value.code == "database_pooler"
    assert "`pool_mode` transaction or session" in str(refused.value)
    assert place.rows("SELECT to_regclass('factload.loads')") == [(None,)]


def test_options_that_the_pooler_refuses_are_named(place: Place) -> None:
    place.workbook(ROWS)
    with pooler(place.url, "transaction") as through, pytest.raises(FeedError) as refused:
        steps.open_load(place.feed(), PERIOD, database=f"{through.url}&options=-cwork_mem%3D1MB")
    assert (refused.value.code, refused.value.retry) == ("database_url", False)
    assert "unsupported startup parameter: options" in str(refused.value)
    assert "ALTER ROLE … SET" in str(refused.value)


def test_a_pooler_without_room_is_worth_a_retry(place: Place) -> None:
    place.workbook(ROWS)
    with pooler(place.url, "session", max_client_conn=1) as through:
        engine = engine_for(through.url)
        with engine.connect() as only:
            only.execute(text("SELECT 1"))
            seen = examine(through.url)
    [answer] = [finding for finding in seen if finding.check == "database"]
    assert (answer.state, answer.exit_status) == ("problem", 4)
    assert "no more connections allowed" in answer.seen


def test_doctor_says_that_a_pooler_stands_between(place: Place) -> None:
    with pooler(place.url, "transaction") as through:
        answers = {finding.check: finding.seen for finding in examine(through.url)}
    direct = {finding.check: finding.seen for finding in examine(place.url)}
    assert "answers, through a pooler; user postgres" in answers["database"]
    assert "answers; user postgres" in direct["database"]


def test_the_load_goes_on_after_the_pool_lost_its_server_connections(place: Place) -> None:
    place.workbook(ROWS)
    with pooler(place.url, "transaction") as through:
        opened = Opened(replace(place, url=through.url), place.feed())
        opened.load_partition(0)
        place.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        run_load(place.feed(), PERIOD, database=through.url, progress=Quiet())
    assert place.rows(PUBLISHED) == RIGHT
