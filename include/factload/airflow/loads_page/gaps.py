"""Days without a load, as Airflow's backfill takes them: from one moment to another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_LAST_MINUTE = time(23, 59)
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row. Its moments cover every run of these days, and none of the day after.

    A backfill's end is a moment, and included: midnight of the last day would leave out that day's run, and the
    midnight after it would add a run that is due at midnight. Airflow's form counts minutes.
    """

    first: date
    last: date
    begins: datetime
    ends: datetime


def gaps_of(days: Iterable[date], zone: tzinfo) -> list[Gap]:
    """The days, in the DAG's time zone ``zone``, as stretches of days in a row, earliest first."""
    stretches: list[tuple[date, date]] = []
    for day in sorted(days):
        if stretches and day - stretches[-1][1] == _A_DAY:
            stretches[-1] = (stretches[-1][0], day)
        else:
            stretches.append((day, day))
    return [
        Gap(
            first,
            last,
            datetime.combine(first, time.min, zone),
            datetime.combine(last, _LAST_MINUTE, zone),
        )
        for first, last in stretches
    ]
