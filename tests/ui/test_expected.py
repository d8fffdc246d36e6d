"""Schedule × days × now → the days on which a load is expected."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from factload.airflow.loads_page.expected import expected_periods

NOW = datetime(2026, 11, 7, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "zone", "days"),
    [
        ("0 2 * * *", "UTC", [3, 4, 5, 6]),  # that of the 7th is due at two
        ("0 1 * * *", "UTC", [3, 4, 5, 6, 7]),
        ("@daily", "UTC", [3, 4, 5, 6, 7]),
        ("0 2 * * *", "Europe/Berlin", [3, 4, 5, 6, 7]),  # two o'clock there is one o'clock in UTC
        ("0 2 * * 1-5", "UTC", [3, 4, 5, 6]),
        ("0 2 * * 6,0", "UTC", []),  # the 7th is a Saturday
        ("*/5 * * * *", "UTC", [3, 4, 5, 6, 7]),  # a day once
        ("0 2 5 * *", "UTC", [5]),
        ("0 2 30 2 *", "UTC", []),
        ("@once", "UTC", []),
        ("when it suits", "UTC", []),
        (None, "UTC", []),
    ],
)
def test_expected_days(schedule: str | None, zone: str, days: list[int]) -> None:
    found = expected_periods(schedule, date(2026, 11, 3), date(2026, 11, 8), NOW, ZoneInfo(zone))
    assert found == [date(2026, 11, day) for day in days]


def test_the_night_in_which_the_clocks_change() -> None:
    """02:30 doesn't exist on 29 March 2026 in Berlin, and exists twice on 25 October: a day is expected once."""
    zone = ZoneInfo("Europe/Berlin")
    for first, last in ((date(2026, 3, 28), date(2026, 3, 30)), (date(2026, 10, 24), date(2026, 10, 26))):
        found = expected_periods("30 2 * * *", first, last, datetime(2026, 12, 1, tzinfo=UTC), zone)
        assert len(found) == 3
