"""What readers see of a load since it was published last: known by its rows, totals and digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from factload.errors import FeedError
from factload.ledger.tables import attempts, loads
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors

_CHANGES = ("published", "undone")  # the states of an attempt that changed what readers see


@dataclass(frozen=True, slots=True)
class PublishedContent:
    """The rows of a load that readers see. ``attempt``: which one published them; ``totals``: measure → exact sum, and
    ``digest``: of all columns that the feed fills, both as decimal text; ``since``: when such rows were published
    first, if the load was published since without a change."""

    load_id: str
    period: str
    attempt: int
    rows: int
    totals: dict[str, str]
    digest: str | None
    since: datetime

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values, without ``since``."""
        return {
            "load_id": self.load_id,
            "period": self.period,
            "rows": self.rows,
            "totals": self.totals,
            "digest": self.digest,
            "attempt": self.attempt,
        }

    def is_told_by(self, told: dict[str, Any]) -> bool:
        """Whether these are the rows that ``told`` is of, whichever attempt published them."""
        known = self.to_json()
        return all(told.get(name) == known[name] for name in known if name != "attempt")


def published_content(database: str, load_id: str) -> PublishedContent:
    """What is published of a load, by the ledger at the URL ``database``; raises ``FeedError`` where nothing is."""
    query = (
        select(
            loads.c.period,
            loads.c.published_epoch,
            attempts.c.epoch,
            attempts.c.content,
            attempts.c.published_rows,
            attempts.c.published_totals,
            attempts.c.published_digest,
            attempts.c.ended_at,
        )
        .join(attempts, attempts.c.load_id == loads.c.load_id)
        .where(
            loads.c.load_id == load_id,
            attempts.c.epoch <= loads.c.published_epoch,
            attempts.c.state.in_(_CHANGES),
        )
        .order_by(attempts.c.epoch.desc())
    )
    with database_errors("reading the ledger"), engine_for(database).connect() as connection:
        found = connection.execute(query).all()
    if not found:
        raise FeedError(
            "not_published",
            f"nothing of {load_id} is published",
            expected="a load that readers see",
            remedy=f"See `factload status --load {load_id}`",
        )
    newest, *earlier = found
    since = newest.ended_at
    for publication in earlier:
        if _of(publication) != _of(newest):
            break
        since = publication.ended_at
    return PublishedContent(
        load_id=load_id,
        period=newest.period.isoformat(),
        attempt=newest.epoch,
        rows=newest.published_rows,
        totals=dict(newest.published_totals),
        digest=newest.published_digest,
        since=since,
    )


def _of(publication: Any) -> tuple[Any, ...]:
    """What its rows are known by; of an older factload's, which has no digest, what they were made of."""
    digest = publication.published_digest
    by = publication.content if digest is None else digest
    return publication.published_rows, publication.published_totals, by
