"""The ledger: what every load is, was and may do next, and the locks that make one attempt at a time true.

States of an attempt: ``loading`` → ``reconciled`` → ``published``, or ``held`` (too many rejects), ``refused``
(workbook or rows unfit), ``failed`` (a fault). Only the newest epoch of a load may write; every transaction that
writes rows asks ``fence`` right before it commits, so an attempt that slept through its successor is refused by
the database, whatever its process believes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Connection

from factload.errors import FactloadError, FeedError, RowsRefused, Superseded, WorkbookError
from factload.feed.model import Feed
from factload.ledger.tables import (
    attempts,
    loads,
    partitions,
    rejects,
    steps,
)
from factload.load import Load, content_of
from factload.settings import settings
from factload.split.sources import SourceFile, sha256_of_sources

_LOOK_FOR_THE_CLIENT = "5s"

# The states in which work on an attempt may go on, also after a person cleared a task of it. A published load
# is finished: its steps have nothing to do.
TOO_MANY_REJECTS = "too_many_rejects"
UNFINISHED = ("loading", "reconciled", "held", "refused", "failed")


def bound_waits(connection: Connection) -> None:
    """Bound, for this transaction, how long it waits for locks, and how long it may idle holding some: the
    server ends a frozen client's transaction, so its locks never outlive that."""
    here = settings()
    bounds = {
        "lock_timeout": f"{here.lock_timeout}s",
        "idle_in_transaction_session_timeout": f"{here.idle_timeout}s",
        # A statement whose client has died, even one that waits for a lock, ends too.
        "client_connection_check_interval": _LOOK_FOR_THE_CLIENT,
    }
    connection.execute(select(*(func.set_config(name, value, True) for name, value in bounds.items())))


def open_attempt(
    connection: Connection,
    feed: Feed,
    load_id: str,
    period: Any,
    workbook: str,
    sources: Sequence[SourceFile],
    reload: bool,
) -> Load:
    """Begin the next epoch of a load, unless the same content is published already and ``reload`` isn't asked.

    ``workbook``: what was named; ``sources``: the workbooks that it means.
    """
    workbook_sha256 = sha256_of_sources(sources)
    content = content_of(workbook_sha256, feed.fingerprint)
    connection.execute(
        upsert(loads)
        .values(load_id=load_id, feed=feed.feed, period=period, target=feed.fact.table, epoch=0)
        .on_conflict_do_nothing()
    )
    newest, published_epoch = connection.execute(
        select(loads.c.epoch, loads.c.published_epoch).where(loads.c.load_id == load_id).with_for_update()
    ).one()
    last = connection.execute(
        select(attempts).where(attempts.c.load_id == load_id, attempts.c.epoch == newest)
    ).one_or_none()
    if last is not None and not reload and _corrected_since(last, sources, feed):
        return newest_load(connection, load_id)
    done = last is not None and last.state == "published" and last.content == content and not reload
    epoch = newest if done else newest + 1
    if not done:
        _require_replaceable(connection, load_id, published_epoch, feed)
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
                workbook_sha256=workbook_sha256,
                workbook_bytes=sum(source.bytes for source in sources),
                sources=[asdict(source) for source in sources],
            )
        )
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
    )


def _corrected_since(last: Row[Any], sources: Sequence[SourceFile], feed: Feed) -> bool:
    """Whether what is published is these workbooks with corrected rows in the place of rejected ones."""
    known = [SourceFile(**source) for source in last.sources]
    return (
        last.state == "published"
        and any(source.corrects for source in known)
        and [source for source in known if not source.corrects] == list(sources)
        and content_of(sha256_of_sources(known), feed.fingerprint) == last.content
    )


def newest_load(connection: Connection, load_id: str) -> Load:
    """The newest attempt at a load, as ``open_attempt`` gave it; raises ``FeedError`` when there is none."""
    found = connection.execute(
        select(loads.c.feed, loads.c.period, attempts)
        .join(attempts, (attempts.c.load_id == loads.c.load_id) & (attempts.c.epoch == loads.c.epoch))
        .where(loads.c.load_id == load_id)
    ).one_or_none()
    if found is None:
        raise FeedError(
            "load_unknown",
            f"the ledger has no load {load_id}",
            expected="FEED@YYYY-MM-DD, such as sales@2026-11-05",
            remedy="See `factload status`",
        )
    return Load(
        load_id=load_id,
        epoch=found.epoch,
        feed=found.feed,
        period=str(found.period),
        workbook=found.workbook,
        workbook_sha256=found.workbook_sha256,
        content=found.content,
        already_published=found.state == "published",
        sources=tuple(SourceFile(**source) for source in found.sources),
    )


def _require_replaceable(
    connection: Connection, load_id: str, published_epoch: int | None, feed: Feed
) -> None:
    """Rows that were appended once can't be told from others, so nothing may take their place."""
    if published_epoch is None:
        return
    appended = connection.execute(
        select(attempts.c.mode, attempts.c.published_rows).where(
            attempts.c.load_id == load_id, attempts.c.epoch == published_epoch
        )
    ).one()
    if "append_once" in (appended.mode, feed.fact.mode.kind):
        raise FeedError(
            "appended_already",
            f"{load_id} is published: {appended.published_rows} rows went into {feed.fact.table}, and mode "
            "append_once can't take them back, though workbook, feed or --reload ask for it",
            expected="the workbook and the feed as they were published",
            remedy="Put what is to be added into a workbook of another period. To have corrections replace rows, "
            "give the table a load column and let a new feed say `mode: replace`",
        )


def _newest(load: Load) -> Select[Any]:
    return (
        select(loads.c.epoch, attempts.c.state, loads.c.published_epoch)
        .join(attempts, (attempts.c.load_id == loads.c.load_id) & (attempts.c.epoch == loads.c.epoch))
        .where(loads.c.load_id == load.load_id)
    )


def fence(connection: Connection, load: Load, *states: str, lock: str | None = None) -> str:
    """The state of this attempt, if it is the newest and in one of ``states``.

    ``lock``: ``"share"`` keeps a newer attempt from opening until this transaction ends, ``"update"`` keeps
    other writers of this load out as well. Raises ``Superseded``.
    """
    statement = _newest(load)
    if lock is not None:
        statement = statement.with_for_update(of=loads, read=lock == "share")
    found = connection.execute(statement).one_or_none()
    if found is None or found.epoch != load.epoch:
        newest = "none" if found is None else found.epoch
        raise Superseded(
            "superseded",
            f"attempt {load.epoch} at {load.load_id} is no longer the newest (that is {newest})",
            remedy="Nothing is to be done here: the newer attempt has taken over",
        )
    if found.state not in states:
        raise Superseded(
            "state_changed",
            f"attempt {load.epoch} at {load.load_id} is {found.state}",
            expected=" or ".join(states),
            remedy="Run the load again: it begins a new attempt",
        )
    return str(found.state)


def update_attempt(connection: Connection, load: Load, **values: Any) -> None:
    """Set these columns of the attempt's ledger row."""
    connection.execute(
        update(attempts)
        .where(attempts.c.load_id == load.load_id, attempts.c.epoch == load.epoch)
        .values(**values)
    )


def loading_again(connection: Connection, load: Load) -> None:
    """Note that staged rows have changed: whatever the attempt was, it must be reconciled anew."""
    connection.execute(
        update(attempts)
        .where(
            attempts.c.load_id == load.load_id,
            attempts.c.epoch == load.epoch,
            attempts.c.state != "loading",
        )
        .values(state="loading", error_code=None, error_message=None, ended_at=None)
    )


def attempt(connection: Connection, load: Load) -> Row[Any]:
    """The ledger row of this attempt."""
    return connection.execute(
        select(attempts).where(attempts.c.load_id == load.load_id, attempts.c.epoch == load.epoch)
    ).one()


def record_reconciled(connection: Connection, load: Load) -> None:
    """Note that the load may be published."""
    update_attempt(connection, load, state="reconciled", error_code=None, error_message=None, ended_at=None)


def record_release(connection: Connection, load: Load, state: str, reason: str, by: str) -> None:
    """Note who lets a load be published that is held for its rejects; raises ``FeedError`` when it isn't held so.

    Released before and not published yet, it stays released as it was.
    """
    found = attempt(connection, load)
    if found.released_at is not None and state != "published":
        return
    if state != "held" or found.error_code != TOO_MANY_REJECTS:
        raise FeedError(
            "not_held",
            f"{load.load_id} is {state}" + (f": {found.error_code}" if found.error_code else ""),
            expected="a load that is held because too many rows were rejected",
            remedy="See `factload status`",
        )
    update_attempt(
        connection, load, released_by=by, released_at=func.clock_timestamp(), release_reason=reason
    )


def record_published(connection: Connection, load: Load, rows: int, totals: dict[str, str]) -> None:
    """Note, in the transaction that publishes, that these rows are what readers see now.

    Rejects and partitions of other contents (a workbook since corrected) go with the rows they stood for.
    """
    update_attempt(
        connection,
        load,
        state="published",
        published_rows=rows,
        published_totals=totals,
        ended_at=func.clock_timestamp(),
    )
    connection.execute(
        update(loads).where(loads.c.load_id == load.load_id).values(published_epoch=load.epoch)
    )
    for table in (rejects, partitions):
        connection.execute(
            delete(table).where(table.c.load_id == load.load_id, table.c.content != load.content)
        )


def record_end(connection: Connection, load: Load, error: FactloadError) -> None:
    """Note why an attempt ended, unless a newer one began or it was published after all."""
    state = "failed"
    if isinstance(error, RowsRefused):
        state = "held" if error.code == TOO_MANY_REJECTS else "refused"
    elif isinstance(error, WorkbookError):
        state = "refused"
    newest = connection.execute(_newest(load).with_for_update(of=loads)).one_or_none()
    if newest is None or newest.epoch != load.epoch or newest.state == "published":
        return
    update_attempt(
        connection,
        load,
        state=state,
        error_code=error.code,
        error_message=str(error),
        ended_at=func.clock_timestamp(),
    )


def record_step(
    connection: Connection,
    load: Load,
    step: str,
    item: str,
    started: datetime,
    finished: datetime,
    peak: float,
) -> None:
    """Note that a step ran, from when to when (aware), and its process's peak resident set in MB (10^6 bytes)."""
    connection.execute(
        insert(steps).values(
            load_id=load.load_id,
            epoch=load.epoch,
            step=step,
            item=item,
            started_at=started,
            finished_at=finished,
            peak_rss_mb=round(peak, 1),
        )
    )
