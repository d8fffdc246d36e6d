"""A load is undone.

OLD was published, and then NEW by a feed with `keep_previous`: an undo brings OLD back, the undo of that NEW again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from factload.errors import FactloadError, NotConnected
from factload.feed.model import Feed
from factload.reports.report import read_report
from factload.undo import undo_load
from tests.chaos.faulty_process import Fault
from tests.chaos.harness import LOAD, PERIOD, Attempt, Harness
from tests.chaos.proxy import BrokenLine
from tests.chaos.reliability import FaultRecord
from tests.chaos.strikes import killed

MODES = {"harness": "", "exchanging": " of an exchange"}
KILLED = [
    pytest.param(
        fixture,
        marks=pytest.mark.fault(
            f"`factload undo`{of} is killed", by="SIGKILL before each statement and COMMIT", over=5
        ),
    )
    for fixture, of in MODES.items()
]
LOST = [
    pytest.param(
        "harness",
        lost,
        marks=pytest.mark.fault(
            f"the {lost} of the COMMIT of an undo is lost",
            by="a proxy that hangs up, at each COMMIT",
            over=1,
        ),
    )
    for lost in ("request", "answer")
]


@pytest.fixture
def undoing(request: pytest.FixtureRequest, fixture: str) -> Harness:
    harness: Harness = request.getfixturevalue(fixture)
    harness.change_feed({"keep_previous": "7d"})
    Attempt(harness).go_on()
    assert harness.stands() == "new"
    return harness


def undo(feed: Feed, url: str, reason: str) -> None:
    """What the command does: the undo, and the report of what stands then."""
    undo_load(feed, PERIOD, reason=reason, by="ada", database=url)
    read_report(url, LOAD)


@pytest.mark.parametrize("fixture", KILLED)
def test_an_undo_is_killed_at_every_point(
    undoing: Harness, record: FaultRecord, points: Iterator[Fault], fixture: str
) -> None:
    for number, point in enumerate(points):
        before, after = ("new", "old") if number % 2 == 0 else ("old", "new")
        call = partial(undo, undoing.feed, undoing.url, f"number {number}")
        if not killed(call, point):
            break
        stood = undoing.stands()
        assert stood in (before, after)
        if stood == before:
            call()
        assert undoing.stands() == after
        record.injected(seen="before" if stood == before else "after", end="exact, undone once")
    [(tables,)] = undoing.rows("SELECT count(*) FROM pg_class WHERE relname LIKE 'kept_%' AND relkind = 'r'")
    assert tables == 1


@pytest.mark.parametrize(("fixture", "lost"), LOST)
def test_an_undo_whose_commit_is_lost_is_made_once(
    undoing: Harness, record: FaultRecord, tmp_path: Path, fixture: str, lost: Literal["request", "answer"]
) -> None:
    for nth in itertools.count():
        before, after = ("new", "old") if nth % 2 == 0 else ("old", "new")
        call = partial(undo_load, undoing.feed, PERIOD, reason=f"number {nth}", by="ada")
        error: FactloadError | None = None
        with BrokenLine(undoing.url, tmp_path / f"line {nth}", lost, nth) as line:
            try:
                call(database=line.url)
            except NotConnected as never:  # nothing had been asked yet
                error = never
        stood = undoing.stands()
        assert stood == (before if error else after)
        if error:
            call(database=undoing.url)
        assert undoing.stands() == after
        if not line.broke:
            break
        record.injected(seen="before" if stood == before else "after", end="exact, undone once")
