"""What was published, as the ledger says: of each load, the rows that readers are to see now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, func, select, tuple_, update
from sqlalchemy.engine import Connection

from factload.ledger.conditions import PUBLISHED_ATTEMPT
from factload.ledger.tables import attempts, loads

_AT_ONCE = 1_000  # loads that one statement names


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """A column that the feed filled. ``type``: as PostgreSQL called it; ``provenance``: ``workbook``, ``sheet``,
    ``row`` or ``row of cells``, where the column said which row of the sheet it came from, alone or with others."""

    name: str
    type: str
    provenance: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedLoad:
    """A load as it was published last. ``totals``: measure → exact sum; ``digest``: of ``columns``, on a server whose
    ``probe`` was this; all three are None of what an older factload published. ``table`` and ``load_column`` say where
    its rows are found; ``workbooks`` its files, each with path, bytes and SHA-256; ``times_before``: how often it was
    published before."""

    load_id: str
    feed: str
    period: str
    epoch: int
    content: str
    mode: str
    table: str
    load_column: str | None
    rows: int
    totals: Mapping[str, Decimal]
    digest: Decimal | None
    columns: tuple[PublishedColumn, ...]
    probe: str | None
    published_at: datetime | None
    workbooks: tuple[Mapping[str, Any], ...]
    feed_fingerprint: str | None
    factload_version: str | None
    times_before: int

    @property
    def named(self) -> list[str]:
        """The columns by name, in the order of the digest."""
        return [column.name for column in self.columns]


def published_loads(connection: Connection) -> list[PublishedLoad]:
    """All loads that readers see, in the order of feeds and periods."""
    earlier = attempts.alias("earlier")
    before = (
        select(func.count())
        .select_from(earlier)
        .where(
            earlier.c.load_id == attempts.c.load_id,
            earlier.c.epoch < attempts.c.epoch,
            earlier.c.state == "published",
        )
        .scalar_subquery()
    )
    query = (
        select(
            loads.c.feed,
            loads.c.period,
            loads.c.target.label("last_target"),
            attempts,
            before.label("before"),
        )
        .join(attempts, PUBLISHED_ATTEMPT)
        .order_by(loads.c.feed, loads.c.period)
    )
    return [
        published_load(row, row.feed, row.period, row.target or row.last_target, row.before)
        for row in connection.execute(query)
    ]


def knows_feed(connection: Connection, feed: str) -> bool:
    """Whether the ledger has any load of this feed, published or not."""
    return connection.scalar(select(loads.c.load_id).where(loads.c.feed == feed).limit(1)) is not None


def note_verified(connection: Connection, found: Sequence[tuple[PublishedLoad, str]]) -> None:
    """Note of each load how it was found, unless it was published anew meanwhile."""
    for state in sorted({state for _, state in found}):
        those = [(load.load_id, load.epoch) for load, found_as in found if found_as == state]
        for start in range(0, len(those), _AT_ONCE):
            some = tuple_(attempts.c.load_id, attempts.c.epoch).in_(those[start : start + _AT_ONCE])
            connection.execute(
                update(attempts)
                .where(PUBLISHED_ATTEMPT, some)
                .values(verified_at=func.clock_timestamp(), verified_as=state)
            )


def published_load(
    row: Row[Any], feed: str, period: date, table: str, times_before: int = 0
) -> PublishedLoad:
    """What an attempt published into ``table``, as its row in the ledger says."""
    return PublishedLoad(
        load_id=row.load_id,
        feed=feed,
        period=period.isoformat(),
        epoch=row.epoch,
        content=row.content,
        mode=row.mode,
        table=table,
        load_column=row.load_column,
        rows=row.published_rows,
        totals={name: Decimal(total) for name, total in row.published_totals.items()},
        digest=None if row.published_digest is None else Decimal(row.published_digest),
        columns=tuple(PublishedColumn(**column) for column in row.published_columns or ()),
        probe=row.hash_probe,
        published_at=row.ended_at,
        workbooks=tuple(row.sources),
        feed_fingerprint=row.feed_fingerprint,
        factload_version=row.factload_version,
        times_before=times_before,
    )
