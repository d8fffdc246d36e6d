"""What loads left behind: staging tables and folders that nobody needs, attempts that ended without a word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from factload.doctor.finding import Finding
from factload.errors import FactloadError
from factload.ledger.conditions import NEWEST_ATTEMPT, last_step
from factload.ledger.tables import attempts, loads
from factload.settings import settings
from factload.staging.orphaned import OrphanedStaging, find, is_left

LONG_WITHOUT_A_STEP = timedelta(hours=1)
_GRACE = timedelta(minutes=10)  # a published load's staging is removed within moments


def findings(connection: Connection, about: str) -> Iterator[Finding]:
    """A warning for each load that left something, or ``ok``, unless nobody can say that of a store."""
    silent = list(_silent(connection, about))
    try:
        said = [*_left(connection, about), *silent]
    except FactloadError:  # of a staging store, about which there is a finding already
        yield from silent
    else:
        yield from said or [Finding.ok("left-overs", about, "none")]


def _left(connection: Connection, about: str) -> Iterator[Finding]:
    days = settings().staging_days
    for left in find(connection):
        aged = left.idle > timedelta(days=days)
        published = left.state == "published" and left.idle > _GRACE
        if (aged or published) and is_left(left):
            yield Finding.warning("left-overs", about, _seen(left), _remedy(left.load_id, aged, days))


def _seen(left: OrphanedStaging) -> str:
    return f"{left.load_id} ({left.state}, last sign {left.last_sign:%Y-%m-%d %H:%M} UTC) left {left.what}"


def _remedy(load_id: str, aged: bool, days: int) -> str:
    feed, _, period = load_id.partition("@")
    if aged:
        return "The next load that opens removes it"
    return (
        f"Nothing reads it. `factload run {feed} --period {period}` removes it, or any load that opens {days} days "
        "after (FACTLOAD_STAGING_DAYS)"
    )


def _silent(connection: Connection, about: str) -> Iterator[Finding]:
    """Loads whose newest attempt is ``loading``, and no step of it has begun or ended for long."""
    last_sign = func.greatest(attempts.c.opened_at, attempts.c.worked_at, last_step())
    query = (
        select(attempts.c.load_id, last_sign.label("since"))
        .join(loads, NEWEST_ATTEMPT)
        .where(attempts.c.state == "loading", last_sign < func.clock_timestamp() - LONG_WITHOUT_A_STEP)
        .order_by(attempts.c.load_id)
    )
    for load_id, since in connection.execute(query).all():
        feed, _, period = load_id.partition("@")
        yield Finding.warning(
            "left-overs",
            about,
            f"{load_id} is loading, and no step of it has ended since {since:%Y-%m-%d %H:%M} UTC",
            f"If nothing works on it, `factload run {feed} --period {period}` goes on from there",
        )
