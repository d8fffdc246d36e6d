"""What the tests of `on_change` do alike, whether members are brought up to date or get new versions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from signal import SIGKILL

from factload import check_load, read_report
from factload.errors import FeedError
from factload.feed.model import Feed
from factload.reports.report import Report
from factload.undo import undo_load
from tests.chaos.faulty_process import Fault
from tests.integration.place import Place

POINTS = [
    Fault(SIGKILL, "UPDATE dim_customer"),
    Fault(SIGKILL, "UPDATE factload.loads"),
]


def undo(star: Place, told: Feed, period: date) -> Report:
    undo_load(told, period, reason="wrong file", by="ada", database=star.url)
    return read_report(star.url, told.load_id(period))


def problem_of(star: Place, told: Callable[[Place], Feed], period: date) -> str:
    """The one thing that a check finds wrong with a feed, or that is said as it is read."""
    try:
        [problem] = check_load(told(star), period, database=star.url).problems
    except FeedError as error:
        problem = error
    return str(problem)
