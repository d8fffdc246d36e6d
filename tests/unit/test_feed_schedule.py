"""How a feed's runs are declared, and what is said of a declaration that can't be meant."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from factload.errors import FeedError
from factload.feed.file import read_feed_file
from factload.feed.model import Feed

DEMO = (Path(__file__).parents[2] / "include/feeds/sales.yaml").read_text(encoding="utf-8")


def read(tmp_path: Path, **changes: str) -> Feed:
    text = DEMO
    for field, value in changes.items():
        old = {"missing": "missing: fail", "schedule": 'schedule: "0 2 * * *"', "run": "insert: core "}[field]
        assert old in text
        text = text.replace(old, f"{field}: {value}" + ("\ninsert: core " if field == "run" else ""))
    path = tmp_path / "sales.yaml"
    path.write_text(text, encoding="utf-8")
    return read_feed_file(path)


@pytest.mark.parametrize(
    ("missing", "wait", "then"),
    [
        ("fail", None, "fail"),
        ("skip", None, "skip"),
        ("{wait: 6h}", timedelta(hours=6), "fail"),
        ("{wait: 1d12h30m, then: skip}", timedelta(days=1, hours=12, minutes=30), "skip"),
        ("\n    wait: 90m", timedelta(minutes=90), "fail"),
    ],
)
def test_missing(tmp_path: Path, missing: str, wait: timedelta | None, then: str) -> None:
    found = read(tmp_path, missing=missing).workbook.missing
    assert (found.wait, found.then) == (wait, then)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("missing", "later", "workbook.missing: expected fail, skip, or {wait: 6h}"),
        (
            "missing",
            "{wait: six hours}",
            "expected a length of time such as 6h, 90m or 1d12h (found 'six hours')",
        ),
        ("missing", "{wait: 0h}", "expected a length of time"),
        ("missing", "{wait: 6}", "expected a length of time"),
        ("schedule", "nightly", 'expected a cron expression such as "0 2 * * *", in quotes'),
        ("schedule", '"0 25 * * *"', "expected a cron expression"),
        ("schedule", '"0 2 * * * 7 1"', "expected a cron expression"),
        ("run", "{timezone: Berlin}", "expected a name of the IANA time zone database such as Europe/Berlin"),
        ("run", "{start: soon}", "expected a date such as 2026-01-31"),
        ("run", '{deadline: "6"}', 'expected an hour of the day such as "06:00", in quotes'),
        ("run", '{deadline: "06:00"}', "a `deadline` needs `notify`: somebody has to be told"),
        ("run", "{notify: {email: [nobody]}}", "'nobody' is not a mail address"),
        ("run", "{notify: {email: []}}", "run.notify.email"),
        ("run", "{retrys: 3}", "run.retrys: is not a field here. Did you mean retries?"),
    ],
)
def test_what_is_refused(tmp_path: Path, field: str, value: str, message: str) -> None:
    with pytest.raises(FeedError) as caught:
        read(tmp_path, **{field: value})
    assert message in str(caught.value)
