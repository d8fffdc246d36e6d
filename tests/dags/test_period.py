"""Run type × what the run carries × parameter → period."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_edge.period import period_of
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
