"""Schedule × deadline × newest published period × now → whether what readers see is as new as it should be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from factload.airflow.loads_page.freshness import freshness_of
from factload.feed.file import read_feed_file
from tests.feeds import SALES, changed

NIGHTLY, DEADLINE = "0 2 * * *", {"deadline": "06:00", "notify": {"email": ["a@example.org"]}}


@pytest.mark.parametrize(
    ("schedule", "run", "newest", "hour", "state", "due", "by"),
    [
        (NIGHTLY, DEADLINE, 7, 8, "fresh", 7, 6),
        (NIGHTLY, DEADLINE, 8, 8, "fresh", 7, 6),  # somebody loaded a day that is to come
        (NIGHTLY, DEADLINE, 6, 1, "fresh", 6, 6),
        (NIGHTLY, DEADLINE, 6, 2, "awaited", 7, 6),
        (NIGHTLY, DEADLINE, 6, 5, "awaited", 7, 6),
        (NIGHTLY, DEADLINE, 6, 6, "late", 7, 6),
        (NIGHTLY, DEADLINE, None, 8, "late", 7, 6),
        (NIGHTLY, DEADLINE | {"timezone": "Europe/Berlin"}, 6, 5, "late", 7, 5),  # six o'clock there
        (NIGHTLY, {}, 6, 8, "behind", 7, None),
        (NIGHTLY, {}, 7, 8, "fresh", 7, None),
        ("0 2 30 2 *", DEADLINE, 6, 8, "fresh", None, None),
        (None, {}, 6, 8, "fresh", None, None),
    ],
)
def test_freshness(
    tmp_path: Path, schedule: str | None, run: dict[str, str], newest: int | None, hour: int, state: str, due: int | None, by: int | None
) -> None:  # fmt: skip
    path = tmp_path / "sales.yaml"
    path.write_text(changed(SALES, {"schedule": schedule, "run": run}), encoding="utf-8")
    day = date(2026, 11, newest) if newest else None
    found = freshness_of(read_feed_file(path), day, datetime(2026, 11, 7, hour, tzinfo=UTC))
    assert (found.newest, found.state) == (day, state)
    assert found.due == (date(2026, 11, due) if due else None)
    assert (found.by.astimezone(UTC) if found.by else None) == (
        datetime(2026, 11, found.due.day, by, tzinfo=UTC) if by and found.due else None
    )
