"""Feeds × days: each feed's loads, and the days on which one was due and there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from factload.airflow.loads_page.expected import expected_periods
from factload.airflow.loads_page.feeds import KnownFeed, zone_of
from factload.airflow.loads_page.freshness import Freshness, freshness_of
from factload.airflow.loads_page.gaps import Gap, gaps_of
from factload.airflow.loads_page.runs import FAILED, MISSING, days_without_load, under_way
from factload.airflow.loads_page.warehouse import reading
from factload.diff.of_load import staged_among
from factload.errors import FactloadError, FeedError
from factload.feed.model import Feed
from factload.reports.history import RUNNING, LoadSummary, first_and_newest, loads_between

_WAREHOUSES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class FeedDays:
    """One row of the calendar. ``absent``: a day that was due and has no load → missing, waiting, failed, skipped.

    ``gone``: the days whose load the ledger takes for running, and whose run has ended. ``staged``: those whose load is
    staged and proved, and that no run of Airflow is at work on. ``first``: the period of the feed's first load.
    ``fresh``: how old what readers see is. ``problem``: why there is nothing to show.
    """

    known: KnownFeed
    loads: list[LoadSummary] = field(default_factory=list)
    absent: dict[date, str] = field(default_factory=dict)
    gone: frozenset[date] = frozenset()
    staged: frozenset[date] = frozenset()
    first: date | None = None
    fresh: Freshness | None = None
    problem: FactloadError | None = None

    def gaps(self) -> list[Gap]:
        """What a backfill would have to load: days that nobody ran, and those whose run failed."""
        if self.known.feed is None:
            return []
        lacking = [day for day, state in self.absent.items() if state in (MISSING, FAILED)]
        return gaps_of(lacking, zone_of(self.known.feed))


def days_of_feeds(
    session: Session, feeds: Sequence[KnownFeed], first: date, last: date, now: datetime
) -> list[FeedDays]:
    """The days from ``first`` to ``last`` of these feeds, in the order of their names.

    ``session``: Airflow's own database, which is asked about days without a load, and with one that runs.
    """
    by_warehouse: dict[str, list[KnownFeed]] = defaultdict(list)
    rows = []
    for known in feeds:
        if known.feed is None:
            rows.append(FeedDays(known, problem=FeedError("feed_invalid", known.defect or "")))
        else:
            by_warehouse[known.feed.fact.connection].append(known)
    # Side by side: one that doesn't answer takes its time, and holds up no other.
    with ThreadPoolExecutor(_WAREHOUSES_AT_ONCE) as pool:
        for found in pool.map(
            lambda item: _of_warehouse(item[0], item[1], first, last, now), by_warehouse.items()
        ):
            rows += found
    return sorted(_with_runs(session, rows), key=lambda row: row.known.name)


def _of_warehouse(
    connection_id: str, feeds: Sequence[KnownFeed], first: date, last: date, now: datetime
) -> list[FeedDays]:
    names = [known.name for known in feeds]
    found: dict[str, list[LoadSummary]] = defaultdict(list)
    bounds: dict[str, tuple[date, date | None]] = {}
    staged: set[str] = set()
    try:
        with reading(connection_id) as connection:
            bounds = first_and_newest(connection, names)
            shown = loads_between(connection, names, first, last)
            staged = staged_among(connection, [load.load_id for load in shown if load.state == "reconciled"])
            for load in shown:
                found[load.feed].append(load)
    except FactloadError as error:
        if error.code != "ledger_missing":  # no load has run there: an empty calendar says so
            return [FeedDays(known, problem=error) for known in feeds]
    rows = []
    for known in feeds:
        loads, (began, newest) = found[known.name], bounds.get(known.name, (None, None))
        lacking = _due_without_load(known.feed, loads, began, first, last, now)
        fresh = freshness_of(known.feed, newest, now) if known.feed else None
        absent = dict.fromkeys(lacking, MISSING)
        waiting = frozenset(load.period for load in loads if load.load_id in staged)
        rows.append(FeedDays(known, loads, absent, staged=waiting, first=began, fresh=fresh))
    return rows


def _due_without_load(
    feed: Feed | None,
    found: Sequence[LoadSummary],
    began: date | None,
    first: date,
    last: date,
    now: datetime,
) -> list[date]:
    """The days since the feed's first load on which its schedule was due, and the ledger has no load."""
    if feed is None or began is None:
        return []
    there = {load.period for load in found}
    due = expected_periods(feed.schedule, first, last, now, zone_of(feed))
    return [day for day in due if day >= began and day not in there]


def _with_runs(session: Session, rows: Sequence[FeedDays]) -> list[FeedDays]:
    """The rows, with what Airflow knows of their days without a load, and of the loads that run."""
    zones = {row.known.dag_id: zone_of(row.known.feed) for row in rows if row.known.feed}
    absent = {row.known.dag_id: row.absent for row in rows if row.absent}
    running = {
        row.known.dag_id: its
        for row in rows
        if (its := {load.period: load.epoch for load in row.loads if load.state in RUNNING})
    }
    known = days_without_load(session, zones, absent)
    under = under_way(session, zones, running)
    return [
        replace(
            row,
            absent={day: known.get((row.known.dag_id, day), state) for day, state in row.absent.items()},
            gone=_days(under.given_up, row),
            staged=row.staged - _days(under.given_up | under.at_work, row),
        )
        for row in rows
    ]


def _days(found: Collection[tuple[str, date]], row: FeedDays) -> frozenset[date]:
    return frozenset(day for dag_id, day in found if dag_id == row.known.dag_id)
