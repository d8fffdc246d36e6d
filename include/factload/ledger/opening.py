"""How an attempt at a load begins: the next epoch, unless the same content is published already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.feed.limits import ROWS
from factload.feed.model import Feed
from factload.ledger.conditions import NEWEST_ATTEMPT, PUBLISHED_ATTEMPT
from factload.ledger.corrections import (
    Correction,
    read_corrections,
    record_corrections,
    sha256_of_corrections,
)
from factload.ledger.tables import attempts, loads
from factload.load import Load, SourceFile, content_of, sha256_of_sources
from factload.version import __version__


@dataclass(frozen=True, slots=True)
class Publication:
    """What of a load was published last: of what content, how, how many rows, and where they are found.

    ``table`` and ``load_column`` are unknown of what a ledger before version 4 noted.
    """

    epoch: int
    content: str
    mode: str
    rows: int
    table: str | None
    load_column: str | None


def last_publication(connection: Connection, load_id: str) -> Publication | None:
    """What readers see of a load; nothing before it is published."""
    found = connection.execute(
        select(
            attempts.c.epoch,
            attempts.c.content,
            attempts.c.mode,
            attempts.c.published_rows,
            attempts.c.target,
            attempts.c.load_column,
        )
        .join(loads, PUBLISHED_ATTEMPT)
        .where(loads.c.load_id == load_id)
    ).one_or_none()
    return None if found is None else Publication(*found)


@dataclass(frozen=True, slots=True)
class Before:
    """What a load is compared with before it is published: its own published rows, or those of an earlier period.
    ``totals``: measure → exact sum; ``of``: which of the two, in words."""

    rows: int
    totals: Mapping[str, Decimal]
    of: str

    @property
    def amounts(self) -> dict[str, Decimal]:
        """The number of rows, and the totals, under one mapping."""
        return {**self.totals, ROWS: Decimal(self.rows)}


def published_before(connection: Connection, feed: str, load_id: str, period: date) -> Before | None:
    """What the load has published, or, before it has, the newest earlier period of its feed that is published."""
    found = connection.execute(
        select(loads.c.load_id, attempts.c.published_rows, attempts.c.published_totals)
        .join(attempts, PUBLISHED_ATTEMPT)
        .where(loads.c.feed == feed, loads.c.period <= period)
        .order_by((loads.c.load_id == load_id).desc(), loads.c.period.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    totals = {name: Decimal(total) for name, total in found.published_totals.items()}
    of = "as it is published" if found.load_id == load_id else f"in {found.load_id}"
    return Before(found.published_rows, totals, of)


def open_attempt(
    connection: Connection,
    feed: Feed,
    load_id: str,
    period: Any,
    workbook: str,
    sources: Sequence[SourceFile],
    reload: bool,
    corrections: Sequence[Correction] = (),
) -> Load:
    """Begin the next epoch of a load, unless the same content is published already and ``reload`` isn't asked.

    ``load_id``, ``period``: the load's identity and its business date. ``workbook``: the path or pattern that was
    named; ``sources``: the workbooks that it means. ``reload``: begin an epoch even if the same content is
    published. ``corrections``: rows that a person corrected, in addition to those that the load already has.
    """
    workbook_sha256 = sha256_of_sources(sources)
    if reload or corrections or not _is_unchanged(connection, load_id, workbook_sha256, sources, feed):
        _keep_others_out(connection, feed, load_id, period)
    newest, published_epoch = connection.execute(
        select(loads.c.epoch, loads.c.published_epoch).where(loads.c.load_id == load_id)
    ).one()
    last = connection.execute(
        select(attempts).where(attempts.c.load_id == load_id, attempts.c.epoch == newest)
    ).one_or_none()
    # The state alone is no proof: it is the publishing transaction that notes the epoch.
    published = last is not None and last.state == "published" and published_epoch == newest
    if last is not None and _corrected_of_old(last, sources):
        if reload or not (published and _is_made_of(last, feed)):
            require_none_of_old(load_id, _sources(last))
        return newest_load(connection, load_id)
    corrected = sha256_of_corrections([*read_corrections(connection, load_id), *corrections])
    content = content_of(workbook_sha256, feed.fingerprint, corrected)
    done = published and last is not None and last.content == content and not reload
    epoch = newest if done else newest + 1
    if not done:
        connection.execute(
            update(loads).where(loads.c.load_id == load_id).values(epoch=epoch, target=feed.fact.table)
        )
        connection.execute(
            insert(attempts).values(
                load_id=load_id,
                epoch=epoch,
                state="loading",
                content=content,
                workbook=workbook,
                mode=feed.fact.mode.kind,
                target=feed.fact.table,
                load_column=feed.fact.load_column,
                workbook_sha256=workbook_sha256,
                workbook_bytes=sum(source.bytes for source in sources),
                sources=[asdict(source) for source in sources],
                corrections=corrected,
                feed_fingerprint=feed.fingerprint,
                factload_version=__version__,
            )
        )
        record_corrections(connection, load_id, epoch, corrections)
        end_older(connection, load_id, epoch)
    return Load(
        load_id=load_id,
        epoch=epoch,
        feed=feed.feed,
        period=str(period),
        workbook=workbook,
        workbook_sha256=workbook_sha256,
        content=content,
        already_published=done,
        sources=tuple(sources),
        corrections=corrected,
    )


def _keep_others_out(connection: Connection, feed: Feed, load_id: str, period: Any) -> None:
    """The load's row, made if it isn't there, and held: until the transaction ends nobody else opens the load."""
    connection.execute(
        upsert(loads)
        .values(load_id=load_id, feed=feed.feed, period=period, target=feed.fact.table, epoch=0)
        .on_conflict_do_nothing()
    )
    connection.execute(
        select(loads.c.epoch).where(loads.c.load_id == load_id).with_for_update(key_share=True)
    )


def end_older(connection: Connection, load_id: str, epoch: int) -> None:
    """Attempts that are still loading, or were killed while they did, end here: this one has taken over."""
    connection.execute(
        update(attempts)
        .where(attempts.c.load_id == load_id, attempts.c.epoch < epoch, attempts.c.state == "loading")
        .values(
            state="failed",
            error_code="superseded",
            error_message=f"attempt {epoch} has taken over.",
            ended_at=func.clock_timestamp(),
        )
    )


def _is_unchanged(
    connection: Connection, load_id: str, workbook_sha256: str, sources: Sequence[SourceFile], feed: Feed
) -> bool:
    """Whether these very workbooks are published by this very feed: then nothing is to be written, which a database
    that takes no changes can say as well."""
    last = connection.execute(
        select(attempts)
        .join(loads, NEWEST_ATTEMPT)
        .where(
            loads.c.load_id == load_id,
            loads.c.published_epoch == loads.c.epoch,
            attempts.c.state == "published",
        )
    ).one_or_none()
    if last is None or not _is_made_of(last, feed):
        return False
    if last.corrections != sha256_of_corrections(read_corrections(connection, load_id)):
        return False
    return last.workbook_sha256 == workbook_sha256 or _corrected_of_old(last, sources)


def _sources(attempt: Row[Any]) -> list[SourceFile]:
    return [SourceFile(**source) for source in attempt.sources]


def _corrected_of_old(last: Row[Any], sources: Sequence[SourceFile]) -> bool:
    """Whether the load was last made of these workbooks and of corrected rows as an older factload took them."""
    known = _sources(last)
    return any(source.corrects for source in known) and [s for s in known if not s.corrects] == list(sources)


def _is_made_of(last: Row[Any], feed: Feed) -> bool:
    made_of = content_of(last.workbook_sha256, feed.fingerprint, last.corrections)
    return bool(last.content == made_of)


def require_none_of_old(load_id: str, sources: Iterable[SourceFile]) -> None:
    """Raise ``FeedError`` for a load that corrected workbooks joined, as an older factload had it."""
    old = [source.path for source in sources if source.corrects]
    if old:
        raise FeedError(
            "corrections_outdated",
            f"an older factload took corrected rows of {load_id} out of {', '.join(old)}, in a way that this "
            "version can't apply",
            expected="corrections that are stored in the ledger",
            remedy="Correct these rows in the load's own workbook, and load that",
        )


def newest_load(connection: Connection, load_id: str) -> Load:
    """The newest attempt at a load, as ``open_attempt`` gave it; raises ``FeedError`` when there is none."""
    found = connection.execute(
        select(loads.c.feed, loads.c.period, loads.c.published_epoch, attempts)
        .join(attempts, NEWEST_ATTEMPT)
        .where(loads.c.load_id == load_id)
    ).one_or_none()
    if found is None:
        raise no_such_load(load_id)
    return Load(
        load_id=load_id,
        epoch=found.epoch,
        feed=found.feed,
        period=str(found.period),
        workbook=found.workbook,
        workbook_sha256=found.workbook_sha256,
        content=found.content,
        already_published=found.state == "published" and found.published_epoch == found.epoch,
        sources=tuple(_sources(found)),
        corrections=found.corrections,
    )


def no_such_load(load_id: str) -> FeedError:
    """What is said of a load that the ledger doesn't have."""
    return FeedError(
        "load_unknown",
        f"the ledger has no load {load_id}",
        expected="FEED@YYYY-MM-DD, such as sales@2026-11-05",
        remedy="See `factload status`",
    )
