"""Days without a load × time zone → what Airflow's backfill is told."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from factload.airflow.loads_page.gaps import gaps_of


@pytest.mark.parametrize(
    ("zone", "days", "moments"),
    [
        ("UTC", [], []),
        ("UTC", [5], [("2026-10-05T00:00:00+00:00", "2026-10-05T23:59:00+00:00")]),
        ("UTC", [7, 5, 6], [("2026-10-05T00:00:00+00:00", "2026-10-07T23:59:00+00:00")]),
        (
            "UTC",
            [5, 7],
            [
                ("2026-10-05T00:00:00+00:00", "2026-10-05T23:59:00+00:00"),
                ("2026-10-07T00:00:00+00:00", "2026-10-07T23:59:00+00:00"),
            ],
        ),
        # The night of the 25th has an hour twice: the day begins in summer time and ends in winter time.
        ("Europe/Berlin", [24, 25], [("2026-10-24T00:00:00+02:00", "2026-10-25T23:59:00+01:00")]),
    ],
)
def test_gaps(zone: str, days: list[int], moments: list[tuple[str, str]]) -> None:
    found = gaps_of([date(2026, 10, day) for day in days], ZoneInfo(zone))
    assert [(gap.begins.isoformat(), gap.ends.isoformat()) for gap in found] == moments
