"""What a feed's loads came to, day by day: the read model of calendars and trends. It only ever reads.

A load stands for its newest attempt. What readers of the fact table see may be an older one's rows; that attempt's
epoch is ``published_epoch``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, median
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.engine import Connection

from factload.ledger.tables import attempts, loads

RUNNING = ("loading", "reconciled")
STALLED_AFTER = timedelta(hours=24)
_SETTLED = ("published", "held")

# B. Iglewicz, D. C. Hoaglin, "How to Detect and Handle Outliers" (1993): beyond 3.5 a value is labelled. The two
# factors make the deviations of normally distributed values equal to their standard deviation.
_OUTLYING = 3.5
_BY_MEDIAN = 1.4826
_BY_MEAN = 1.2533
_FEWEST = 8


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """A load's newest attempt. Times are aware; counts are rows."""

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

    def seconds(self) -> float | None:
        """From the attempt's opening to its end; ``None`` while it runs."""
        return (self.ended_at - self.opened_at).total_seconds() if self.ended_at else None

    def reject_share(self) -> float | None:
        """Rejected rows of the source rows, 0 to 1; ``None`` when nothing was read."""
        return self.rejected / self.source if self.source else None

    def shown_state(self, now: datetime) -> str:
        """One of published, held, refused, failed, running, and ``stalled``: opened a day ago and never ended."""
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
    ).join(attempts, (attempts.c.load_id == loads.c.load_id) & (attempts.c.epoch == loads.c.epoch))


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


def first_periods(connection: Connection, feeds: Collection[str]) -> dict[str, date]:
    """The earliest period of each of these feeds that has a load."""
    query = (
        select(loads.c.feed, func.min(loads.c.period)).where(loads.c.feed.in_(feeds)).group_by(loads.c.feed)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


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
    return [summary_of(row) for row in connection.execute(query)][::-1]


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
