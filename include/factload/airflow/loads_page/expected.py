"""Which days a feed's schedule makes loads for."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from croniter import CroniterError, croniter


def expected_periods(
    schedule: str | None, first: date, last: date, now: datetime, zone: tzinfo
) -> list[date]:
    """The days from ``first`` to ``last`` on which ``schedule`` has come due by ``now``, in the DAG's timezone.

    A run that a cron expression starts is for the day on which it starts. Without a schedule, and with one that
    is no cron expression, no day is expected.
    """
    if not schedule:
        return []
    return [due.date() for due in _due_days(schedule, first, last, zone) if due <= now]


@lru_cache(maxsize=2048)
def _due_days(schedule: str, first: date, last: date, zone: tzinfo) -> tuple[datetime, ...]:
    """The first moment of each day at which the schedule comes due. Many feeds share one, and pages ask again."""
    if not croniter.is_valid(schedule):
        return ()
    found: list[datetime] = []
    ticks = croniter(schedule, datetime.combine(first, time.min, zone) - timedelta(seconds=1))
    while True:
        try:
            due: datetime = ticks.get_next(datetime)
        except CroniterError:  # a date that never comes, such as 30 February
            break
        if due.date() > last:
            break
        if found and due.date() == found[-1].date():  # several a day: on to the next one
            ticks.set_current(
                datetime.combine(due.date() + timedelta(days=1), time.min, zone) - timedelta(seconds=1)
            )
        else:
            found.append(due)
    return tuple(found)
