"""Run type × what the run carries × parameter → period."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from airflow.timetables.trigger import CronPartitionTimetable, CronTriggerTimetable

from factload.airflow.period import period_of
from factload.errors import FeedError

AFTER = datetime(2026, 11, 7, 1, 30, tzinfo=UTC)
LOGICAL = datetime(2026, 11, 6, 2, tzinfo=UTC)
INTERVAL = datetime(2026, 11, 5, 2, tzinfo=UTC)
PARTITION = datetime(2026, 11, 4, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("run", "parameter", "timezone", "period"),
    [
        ({"run_after": AFTER}, None, UTC, date(2026, 11, 7)),  # by hand, without a logical date
        ({"run_after": AFTER, "logical_date": None}, "2026-01-31", UTC, date(2026, 1, 31)),
        ({"run_after": AFTER, "logical_date": LOGICAL}, None, UTC, date(2026, 11, 6)),
        ({"run_after": AFTER, "logical_date": LOGICAL, "data_interval_start": INTERVAL}, None, UTC, date(2026, 11, 5)),
        ({"run_after": AFTER, "data_interval_start": INTERVAL, "partition_date": PARTITION}, None, UTC, date(2026, 11, 4)),
        ({"run_after": AFTER, "data_interval_start": INTERVAL}, "2026-02-28", UTC, date(2026, 2, 28)),
        # Midnight in Berlin is the evening before in UTC; the night to 2026-10-25 has 25 hours there.
        ({"run_after": AFTER, "data_interval_start": datetime(2026, 11, 4, 23, tzinfo=UTC)}, None, BERLIN, date(2026, 11, 5)),
        ({"run_after": AFTER, "data_interval_start": datetime(2026, 10, 24, 22, tzinfo=UTC)}, None, BERLIN, date(2026, 10, 25)),
        ({"run_after": AFTER, "data_interval_start": datetime(2026, 10, 25, 23, tzinfo=UTC)}, None, BERLIN, date(2026, 10, 26)),
    ],
)  # fmt: skip
def test_period(run: dict[str, Any], parameter: str | None, timezone: Any, period: date) -> None:
    assert period_of(SimpleNamespace(**run), {"period": parameter}, timezone) == period


def test_a_parameter_that_is_no_date_is_refused() -> None:
    with pytest.raises(FeedError, match="YYYY-MM-DD"):
        period_of(SimpleNamespace(run_after=AFTER), {"period": "yesterday"}, UTC)


# A schedule reads the wall clock of Berlin, where the night to October 25 has 25 hours and that to March 29 has 23.
NIGHTS = [(date(2026, 10, 23), 5), (date(2026, 3, 27), 5)]
SCHEDULES = ["0 2 * * *", "30 2 * * *", "0 0 * * *", "59 23 * * *"]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    "timetable", [CronTriggerTimetable, CronDataIntervalTimetable, CronPartitionTimetable]
)
@pytest.mark.parametrize(("first", "days"), NIGHTS, ids=["October", "March"])
def test_every_night_of_a_schedule_is_a_period_of_its_own(
    timetable: type[Any], schedule: str, first: date, days: int
) -> None:
    nightly = timetable(schedule, timezone="Europe/Berlin")
    since = pendulum.datetime(first.year, first.month, first.day, tz="Europe/Berlin")
    restriction = TimeRestriction(earliest=since, latest=None, catchup=True)
    found, interval = [], None
    for _ in range(days):
        run = nightly.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
        interval = run.data_interval
        of_run = {"run_after": run.run_after, "logical_date": run.logical_date}
        of_run |= {"data_interval_start": interval.start, "partition_date": run.partition_date}
        found.append(period_of(SimpleNamespace(**of_run), {}, BERLIN))
    assert found == [first + timedelta(days=n) for n in range(days)]


def test_a_run_that_a_person_or_an_asset_starts_is_for_the_day_it_may_start() -> None:
    for_a_person = CronTriggerTimetable("0 2 * * *", timezone="Europe/Berlin").infer_manual_data_interval(
        run_after=pendulum.datetime(2026, 11, 5, 23, 30)  # already the sixth in Berlin
    )
    run = {"run_after": AFTER, "data_interval_start": for_a_person.start}
    assert period_of(SimpleNamespace(**run), {}, BERLIN) == date(2026, 11, 6)
    by_an_asset = {
        "run_after": AFTER,
        "logical_date": None,
        "data_interval_start": None,
        "partition_date": None,
    }
    assert period_of(SimpleNamespace(**by_an_asset), {}, BERLIN) == date(2026, 11, 7)
