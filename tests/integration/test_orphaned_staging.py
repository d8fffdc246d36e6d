"""What loads leave behind: removed once published, swept when nobody came back for it, and never earlier."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from factload import steps
from factload.staging import in_use
from factload.staging.files import open_table
from factload.staging.store import delete_older, place_of
from tests.integration.opened import LOAD, Opened
from tests.integration.place import Place

NEXT = date(2026, 11, 6)


@pytest.fixture
def half_way(place: Place) -> Opened:
    """A load that ended half-way, 15 days ago."""
    place.workbook([("A1" if i % 2 else "B2", i) for i in range(5_000)])
    place.workbook([("A1", 1)], NEXT)
    opened = Opened(place, place.feed())
    opened.load_partition(0)
    age(place, 15)
    return opened


def age(place: Place, days: int) -> None:
    """All that there is has been so for so many days."""
    for sign in ("opened_at", "worked_at"):
        place.execute(f"UPDATE factload.attempts SET {sign} = {sign} - interval '{days} days'")
    place.execute(f"UPDATE factload.steps SET finished_at = finished_at - interval '{days} days'")
    then = time.time() - days * 86_400
    for path in (place.home / ".staging").rglob("*"):
        os.utime(path, (then, then))


def left(place: Place, opened: Opened) -> tuple[bool, bool]:
    """Whether the load's staging table and its folder are there."""
    table = place.rows("SELECT to_regclass(:name)", name=opened.staging)[0][0] is not None
    return table, place_of(opened.load).folder.exists()


@contextmanager
def somebody(place: Place) -> Iterator[Connection]:
    with place.engine.connect() as connection:
        yield connection


def test_what_nobody_came_back_for_is_swept_and_the_load_is_exact_all_the_same(
    place: Place, half_way: Opened
) -> None:
    place.load(period=NEXT)
    assert left(place, half_way) == (False, False)
    assert place.rows(
        "SELECT count(*) FROM factload.partitions WHERE load_id = :l AND staged_from IS NOT NULL", l=LOAD
    ) == [(0,)]
    place.load()
    assert place.rows("SELECT count(*), sum(metric)::int FROM fact_sales WHERE load_id = :l", l=LOAD) == [
        (5_000, 12_497_500)
    ]


def test_a_swept_attempt_goes_on_from_split_workbook(place: Place, half_way: Opened) -> None:
    place.load(period=NEXT)
    half_way.change_dimension()
    half_way.run("split_workbook")
    half_way.load_all()
    half_way.reconcile()
    assert half_way.publish() == 5_000


@pytest.mark.parametrize("sign", ["attempts SET ended_at", "steps SET finished_at"])
def test_a_sign_of_life_is_enough_to_stay(place: Place, half_way: Opened, sign: str) -> None:
    place.execute(f"UPDATE factload.{sign} = now() - interval '13 days'")
    place.load(period=NEXT)
    assert left(place, half_way) == (True, True)


def test_the_days_are_a_setting(place: Place, half_way: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_STAGING_DAYS", "16")
    place.load(period=NEXT)
    assert left(place, half_way) == (True, True)


def test_a_load_at_work_is_not_swept(place: Place, half_way: Opened) -> None:
    with somebody(place) as step:
        in_use.at_work(step, half_way.load)
        steps.open_load(place.feed(), NEXT, database=place.url)
        assert left(place, half_way) == (True, True), "it is about to say so"
        step.commit()
    age(place, 13)
    steps.open_load(place.feed(), NEXT, database=place.url)
    assert left(place, half_way) == (True, True), "it has said so, and its connection is gone"
    age(place, 15)
    steps.open_load(place.feed(), NEXT, database=place.url)
    assert left(place, half_way) == (False, False)


@pytest.mark.parametrize("task", ["split_workbook", "load_partition 1"])
def test_a_cleared_step_of_an_old_load_says_that_it_is_at_work(
    place: Place, half_way: Opened, task: str
) -> None:
    half_way.run(task)
    place.execute("DELETE FROM factload.steps")  # its end is a sign, too
    steps.open_load(place.feed(), NEXT, database=place.url)
    assert left(place, half_way) == (True, True)


def test_a_young_load_is_not_written_to_for_a_sign(place: Place) -> None:
    place.workbook([("A1", i) for i in range(5_000)])
    opened = Opened(place, place.feed())
    opened.load_all()
    assert place.rows("SELECT worked_at FROM factload.attempts") == [(None,)]


def test_what_is_locked_is_skipped_at_once(
    place: Place, half_way: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "300")
    with somebody(place) as other:
        other.execute(text("SELECT FROM factload.loads WHERE load_id = :l FOR UPDATE"), {"l": LOAD})
        steps.open_load(place.feed(), NEXT, database=place.url)
        assert left(place, half_way) == (True, True)


def test_a_person_who_reads_a_staging_table_stops_no_load(
    place: Place, half_way: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    with somebody(place) as reader:
        reader.execute(text(f"SELECT FROM {half_way.staging}"))
        steps.open_load(place.feed(), NEXT, database=place.url)
    assert "orphaned staging could not be removed: SQLSTATE 55P03" in caplog.text
    assert left(place, half_way) == (True, True)
    assert place.rows("SELECT count(*) FROM factload.partitions WHERE staged_from IS NOT NULL") == [(1,)]


def test_a_folder_with_young_files_is_somebody_elses(place: Place, half_way: Opened) -> None:
    young = next(place_of(half_way.load).folder.iterdir())
    os.utime(young)
    place.load(period=NEXT)
    assert left(place, half_way) == (False, True)


def test_files_of_an_earlier_attempt_go_as_the_next_one_opens(place: Place, half_way: Opened) -> None:
    newer = Opened(place, place.feed())
    assert left(place, half_way) == (True, False)
    assert place_of(newer.load).folder.exists()


def test_cleaning_that_comes_late_takes_nothing_from_a_newer_attempt(place: Place) -> None:
    place.workbook([("A1", 1), ("B2", 2)])
    published = Opened(place, place.feed())
    published.load_all()
    published.reconcile()
    published.publish()
    newer = Opened(place, place.feed())
    delete_older(published.load, published=True)
    newer.load_all()
    newer.reconcile()
    assert newer.publish() == 2
    newer.run("clean_staging")
    assert list((place.home / ".staging").iterdir()) == []


def test_a_map_that_is_extracted_again_leaves_the_first_as_it_was(place: Place) -> None:
    place.workbook([("A1", 1)])
    opened = Opened(place, place.feed())
    [first] = opened.maps
    opened.change_dimension()
    [second] = opened.maps
    assert first.path != second.path
    for frozen in (first, second):
        assert open_table(frozen.path, frozen.sha256).num_rows == frozen.rows
