"""From the moment when a run was due to the stated hour: by the wall clock, also in the nights that are 23 or 25 hours long."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from factload.airflow.deadline import PeriodDeadline, next_hour

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("due", "hour", "zone", "deadline"),
    [
        ("2026-11-05T02:00:00", "06:00", ZoneInfo("UTC"), "2026-11-05T06:00:00"),
        ("2026-11-05T06:00:00", "06:00", ZoneInfo("UTC"), "2026-11-05T06:00:00"),
        ("2026-11-05T22:00:00", "06:00", ZoneInfo("UTC"), "2026-11-06T06:00:00"),  # due in the evening
        ("2026-11-05T01:00:00", "06:00", BERLIN, "2026-11-05T05:00:00"),
        ("2026-10-24T23:30:00", "06:00", BERLIN, "2026-10-25T05:00:00"),  # clocks go back at three
        ("2026-03-29T00:30:00", "06:00", BERLIN, "2026-03-29T04:00:00"),  # and forward at two
        ("2026-11-04T23:30:00", "00:15", BERLIN, "2026-11-05T23:15:00"),  # half past midnight in Berlin
    ],
)  # fmt: skip
def test_next_hour(due: str, hour: str, zone: ZoneInfo, deadline: str) -> None:
    moment = datetime.fromisoformat(due).replace(tzinfo=UTC)
    found = next_hour(moment, time.fromisoformat(hour), zone)
    assert found.astimezone(UTC) == datetime.fromisoformat(deadline).replace(tzinfo=UTC)


def test_a_deadline_survives_airflows_database() -> None:
    kept = PeriodDeadline("06:00", "Europe/Berlin").serialize_reference()
    assert PeriodDeadline.deserialize_reference(kept) == PeriodDeadline("06:00", "Europe/Berlin")
