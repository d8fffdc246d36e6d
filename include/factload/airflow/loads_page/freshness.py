"""How old what readers of a feed's rows see is, and whether it should be newer by now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from croniter import CroniterError, croniter

from factload.airflow.deadline import next_hour
from factload.airflow.loads_page.feeds import zone_of
from factload.feed.model import Feed

State = Literal["fresh", "awaited", "late", "behind"]


@dataclass(frozen=True, slots=True)
class Freshness:
    """``newest``: the newest period whose rows readers see. ``due``: the newest one that the schedule has asked for,
    and ``by`` when it has to be published.

    ``fresh``: nothing newer was due; ``awaited``: it is due, and its deadline still to come; ``late``: that has passed;
    ``behind``: it is due, and the feed has no deadline.
    """

    newest: date | None
    due: date | None
    by: datetime | None
    state: State


def freshness_of(feed: Feed, newest: date | None, now: datetime) -> Freshness:
    """The freshness of a feed of which ``newest`` is the newest published period, None for none."""
    zone = zone_of(feed)
    moment = _last_due(feed.schedule, now.astimezone(zone))
    if moment is None:
        return Freshness(newest, None, None, "fresh")
    due, by = moment.date(), None
    if feed.run.deadline is not None:
        by = next_hour(moment, feed.run.deadline, zone)
    if newest is not None and newest >= due:
        return Freshness(newest, due, by, "fresh")
    if by is None:
        return Freshness(newest, due, by, "behind")
    return Freshness(newest, due, by, "awaited" if now < by else "late")


def _last_due(schedule: str | None, now: datetime) -> datetime | None:
    """When the schedule came due last; None without one, and for one that is no cron expression."""
    if not schedule or not croniter.is_valid(schedule):
        return None
    try:
        found: datetime = croniter(schedule, now + timedelta(seconds=1)).get_prev(datetime)
    except CroniterError:  # a date that never comes, such as 30 February
        return None
    return found
