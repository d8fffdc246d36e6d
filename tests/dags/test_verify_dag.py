"""The DAG that verifies: where it is, and how it says that a load doesn't stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

from factload.airflow.verify_dag import verify_dags, verify_database
from factload.errors import FeedError
from factload.settings import wrong_settings
from tests.integration.place import Place, place_in

SCHEDULE = "FACTLOAD_VERIFY_SCHEDULE"
PERIODS = (date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 7))


@pytest.fixture
def place(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place_in(tmp_path, database, monkeypatch) as found:
        yield found


def test_there_is_a_task_for_each_database_at_the_hour_that_is_set(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.feed_file({"feed": "returns", "fact.connection": "elsewhere"}).rename(
        place.home / "include/feeds/returns.yaml"
    )
    place.feed_file({"feed": "also"}).rename(place.home / "include/feeds/also.yaml")
    place.feed_file()
    assert verify_dags() == {}
    monkeypatch.setenv(SCHEDULE, "30 5 * * *")

    [(name, dag)] = verify_dags().items()
    assert name == "verify_feeds"
    assert str(dag.schedule) == "30 5 * * *"
    pools = {task.task_id: task.pool for task in dag.tasks}
    assert pools == {
        "verify_elsewhere": "factload_elsewhere",
        "verify_warehouse": "factload_warehouse",
    }


def test_a_schedule_that_is_none_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCHEDULE, "at night")
    with pytest.raises(FeedError, match=f"{SCHEDULE} is not a cron expression \\(found 'at night'\\)"):
        verify_dags()
    assert [error.code for error in wrong_settings()] == ["setting_invalid"]


def test_loads_that_differ_fail_the_task_by_name(place: Place) -> None:
    feed = place.feed({"fact.connection": place.url})
    for period in PERIODS:
        place.workbook([("A1", 1.5), ("B2", 2)], period)
        place.load(feed, period)
    assert verify_database("sales") == {"stands": 3, "unproved": 0}
    place.execute("DELETE FROM fact_sales WHERE load_id = 'sales@2026-11-06' AND metric = 2")
    place.execute("UPDATE fact_sales SET metric = 7 WHERE load_id = 'sales@2026-11-07' AND metric = 2")

    with pytest.raises(AirflowFailException) as failed:
        verify_database("sales")
    assert str(failed.value) == (
        "2 of 3 loads do not stand as published: "
        "sales@2026-11-06: 1 of its rows are in fact_sales, and 2 were published, "
        "control total of metric is off by -2.0000; "
        "sales@2026-11-07: control total of metric is off by 5.0000"
    )
    noted = place.rows("SELECT load_id, verified_as FROM factload.attempts ORDER BY load_id")
    assert [state for _, state in noted] == ["stands", "differs", "differs"]
