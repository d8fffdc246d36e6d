"""The loads of a feed, day by day: the read model of calendars and trends. It only reads.

A load stands for its newest attempt. What readers of the fact table see may be an older one's rows; that attempt's
epoch is ``published_epoch``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import fmean, median
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.engine import Connection

from factload.ledger.conditions import NEWEST_ATTEMPT
from factload.ledger.tables import attempts, loads, steps

RUNNING = ("loading", "reconciled")
STALLED_AFTER = timedelta(hours=24)
# Longer than this between two steps, nothing worked on the load: a person decided, or a failed task waited to be
# cleared. It is no part of how long the load took.
PAUSE = timedelta(minutes=10)
_SETTLED = ("published", "held")

# B. Iglewicz, D. C. Hoaglin, "How to Detect and Handle Outliers" (1993): beyond 3.5 a value is labelled. The two
# factors make the deviations of normally distributed values equal to their standard deviation.
_OUTLYING = 3.5
_BY_MEDIAN = 1.4826
_BY_MEAN = 1.2533
_FEWEST = 8


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """A load's newest attempt. Times are aware; counts are rows. ``verified_as``: ``stands``, ``differs`` or
    ``unproved``, as its published rows were found at ``verified_at``."""

    load_id: str
    feed: str
    period: date
    epoch: int
    published_epoch: int | None
    state: str
    source: int
    blank: int
    rejected: int
    staged: int
    published: int
    opened_at: datetime
    ended_at: datetime | None
    error_code: str | None
    error_message: str | None
    released_at: datetime | None
    verified_at: datetime | None = None
    verified_as: str | None = None
    paused: float = 0.0

    def seconds(self) -> float | None:
        """From the attempt's opening to its end, without the seconds that it ``paused``; ``None`` while it runs."""
        return (self.ended_at - self.opened_at).total_seconds() - self.paused if self.ended_at else None

    def reject_share(self) -> float | None:
        """Rejected rows of the source rows, 0 to 1; ``None`` when nothing was read."""
        return self.rejected / self.source if self.source else None

    def shown_state(self, now: datetime) -> str:
        """The state as a person is told it.

        ``released``: published on a person's word, though it was held. ``stalled``: opened a day ago and
        never ended. Else one of published, held, refused, failed, undone, running.
        """
        if self.state == "published" and self.released_at is not None:
            return "released"
        if self.state not in RUNNING:
            return self.state
        return "running" if now - self.opened_at < STALLED_AFTER else "stalled"


def summaries() -> Select[Any]:
    """The fields of ``LoadSummary``, in its order, for every load; narrow it with ``where``."""
    return select(
        loads.c.load_id,
        loads.c.feed,
        loads.c.period,
        attempts.c.epoch,
        loads.c.published_epoch,
        attempts.c.state,
        attempts.c.source_rows.label("source"),
        attempts.c.blank_rows.label("blank"),
        attempts.c.rejected_rows.label("rejected"),
        attempts.c.staged_rows.label("staged"),
        attempts.c.published_rows.label("published"),
        attempts.c.opened_at,
        attempts.c.ended_at,
        attempts.c.error_code,
        attempts.c.error_message,
        attempts.c.released_at,
        attempts.c.verified_at,
        attempts.c.verified_as,
    ).join(attempts, NEWEST_ATTEMPT)


def summary_of(row: Row[Any]) -> LoadSummary:
    """A row of ``summaries``."""
    return LoadSummary(*tuple(row))  # by place: a calendar has thousands


def loads_between(
    connection: Connection, feeds: Collection[str], first: date, last: date
) -> list[LoadSummary]:
    """The loads of these feeds whose period lies from ``first`` to ``last``, both included."""
    query = (
        summaries()
        .where(loads.c.feed.in_(feeds), loads.c.period.between(first, last))
        .order_by(loads.c.feed, loads.c.period)
    )
    return [summary_of(row) for row in connection.execute(query)]


def first_and_newest(connection: Connection, feeds: Collection[str]) -> dict[str, tuple[date, date | None]]:
    """The earliest period of each of these feeds that has a load, and the newest whose rows readers see, if any."""
    newest = func.max(loads.c.period).filter(loads.c.published_epoch.is_not(None))
    query = (
        select(loads.c.feed, func.min(loads.c.period), newest)
        .where(loads.c.feed.in_(feeds))
        .group_by(loads.c.feed)
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def recent_loads(
    connection: Connection, feed: str, *, until: date | None = None, limit: int = 60
) -> list[LoadSummary]:
    """The feed's last loads up to the period ``until``, oldest first; those that ended with counts alone."""
    query = (
        summaries()
        .where(loads.c.feed == feed, attempts.c.state.in_(_SETTLED))
        .order_by(loads.c.period.desc())
        .limit(limit)
    )
    if until is not None:
        query = query.where(loads.c.period <= until)
    return without_pauses(connection, [summary_of(row) for row in connection.execute(query)][::-1])


def without_pauses(connection: Connection, found: Sequence[LoadSummary]) -> list[LoadSummary]:
    """The loads, each with how long nothing worked on it."""
    long = [load.load_id for load in found if (load.seconds() or 0) > PAUSE.total_seconds()]
    paused: dict[str, float] = {}
    if long:
        # From the latest end of all earlier steps: those of partitions overlap.
        until_then = func.max(steps.c.finished_at).over(
            partition_by=steps.c.load_id, order_by=(steps.c.started_at, steps.c.step_run), rows=(None, -1)
        )
        between = (
            select(steps.c.load_id, (steps.c.started_at - until_then).label("pause"))
            .join(loads, (loads.c.load_id == steps.c.load_id) & (loads.c.epoch == steps.c.epoch))
            .where(steps.c.load_id.in_(long))
            .subquery()
        )
        query = (
            select(between.c.load_id, func.extract("epoch", func.sum(between.c.pause)))
            .where(between.c.pause > PAUSE)
            .group_by(between.c.load_id)
        )
        paused = {row[0]: float(row[1]) for row in connection.execute(query)}
    return [replace(load, paused=paused.get(load.load_id, 0.0)) for load in found]


def days_with_unusual_rows(found: Sequence[LoadSummary]) -> set[date]:
    """The periods of those loads of one feed whose source rows lie far from the others', among those with counts."""
    counted = [load for load in found if load.state in _SETTLED]
    flags = outlying([float(load.source) for load in counted])
    return {load.period for load, unusual in zip(counted, flags, strict=True) if unusual}


def outlying(values: Sequence[float | None]) -> list[bool]:
    """Which of the values lie far from the others: modified z-score above 3.5, from eight values on.

    Deviations are measured by their median (MAD), and by their mean where more than half of the values are equal.
    """
    known = [value for value in values if value is not None]
    if len(known) < _FEWEST:
        return [False] * len(values)
    middle = median(known)
    deviations = [abs(value - middle) for value in known]
    scale = _BY_MEDIAN * median(deviations) or _BY_MEAN * fmean(deviations)
    return [value is not None and scale > 0 and abs(value - middle) / scale > _OUTLYING for value in values]
