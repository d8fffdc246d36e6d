"""Which days a feed's schedule makes loads for."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

from croniter import CroniterError, croniter


def expected_periods(
    schedule: str | None, first: date, last: date, now: datetime, zone: tzinfo
) -> list[date]:
    """The days from ``first`` to ``last`` on which ``schedule`` has come due by ``now``, in the DAG's timezone.

    A run that a cron expression starts is for the day on which it starts. Without a schedule, and with one that
    is no cron expression, no day is expected.
    """
    if not schedule or not croniter.is_valid(schedule):
        return []
    found: list[date] = []
    day = first
    while day <= last:
        just_before = datetime.combine(day, time.min, zone) - timedelta(seconds=1)
        try:
            due: datetime = croniter(schedule, just_before).get_next(datetime)
        except CroniterError:  # a date that never comes, such as 30 February
            break
        if due > now or due.date() > last:
            break
        found.append(due.date())
        day = due.date() + timedelta(days=1)
    return found
