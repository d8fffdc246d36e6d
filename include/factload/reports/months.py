"""What stands of a feed, month by month: days, rows, control totals, and how much of it was verified. It only reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.engine import Connection

from factload.decimals import EXACT
from factload.ledger.conditions import PUBLISHED_ATTEMPT
from factload.ledger.tables import attempts, loads


@dataclass(slots=True)
class Month:
    """The published periods of one month. ``first``: its first day. ``totals``: measure → exact sum as decimal text.

    ``verified``: how many of its ``days`` were last found as they were published; ``altered``: how many weren't.
    """

    first: date
    days: int = 0
    rows: int = 0
    totals: dict[str, str] = field(default_factory=dict)
    verified: int = 0
    altered: int = 0


def months_of(connection: Connection, feed: str, first: date) -> Iterator[Month]:
    """The months that have published periods from ``first`` on, newest first."""
    query = (
        select(loads.c.period, attempts.c.published_rows, attempts.c.published_totals, attempts.c.verified_as)
        .join(attempts, PUBLISHED_ATTEMPT)
        .where(loads.c.feed == feed, loads.c.period >= first)
        .order_by(loads.c.period)
    )
    found: dict[date, Month] = {}
    for period, rows, totals, verified_as in connection.execute(query):
        month = found.setdefault(period.replace(day=1), Month(period.replace(day=1)))
        month.days += 1
        month.rows += rows
        month.verified += verified_as == "stands"
        month.altered += verified_as == "differs"
        for measure, total in totals.items():
            sum_ = EXACT.add(Decimal(month.totals.get(measure, 0)), Decimal(total))
            month.totals[measure] = f"{sum_:f}"
    return reversed(found.values())
