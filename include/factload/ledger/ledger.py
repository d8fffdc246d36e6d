"""The ledger: the state and history of every load, and the locks that allow one writing attempt per load.

States of an attempt: ``loading`` → ``reconciled`` → ``published``, or ``held`` (too many rejects), ``refused``
(workbook or rows unfit), ``failed`` (a fault). Only the newest epoch of a load may write; every transaction that
writes rows asks ``fence`` right before it commits, so an attempt that slept through its successor is refused by
the database, whatever its process believes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from factload.errors import (
    AttemptLost,
    FactloadError,
    FeedError,
    ReconciliationError,
    RowsRefused,
    Superseded,
    WorkbookError,
)
from factload.ledger.conditions import NEWEST_ATTEMPT, of_attempt
from factload.ledger.tables import (
    attempts,
    loads,
    partitions,
    rejects,
    steps,
)
from factload.load import Load
from factload.postgres.encoding import storable

# What a person may let pass: the load is held, not refused.
HELD_FOR = ("too_many_rejects", "too_few_rows", "too_much_change", "witness_differs")
# The states in which work on an attempt may go on, also after a person cleared a task of it. A published load
# is finished: its steps have nothing to do.
UNFINISHED = ("loading", "reconciled", "held", "refused", "failed")


def _newest(load: Load) -> Select[Any]:
    return (
        select(loads.c.epoch, attempts.c.state, attempts.c.content, loads.c.published_epoch)
        .join(attempts, NEWEST_ATTEMPT)
        .where(loads.c.load_id == load.load_id)
    )


def fence(connection: Connection, load: Load, *states: str, lock: str | None = None) -> str:
    """The state of this attempt, if it is the newest and in one of ``states``.

    ``lock``: ``"share"`` keeps a newer attempt from opening until this transaction ends, ``"update"`` keeps
    other writers of this load out as well. Raises ``Superseded``, ``AttemptLost`` for an attempt that the ledger
    doesn't know, or ``ReconciliationError`` for a state that no publication has set.
    """
    statement = _newest(load)
    if lock is not None:
        # Rows that refer to a load (steps, rejects) are no business of these locks: hence "no key".
        statement = statement.with_for_update(of=loads, read=lock == "share", key_share=lock != "share")
    found = connection.execute(statement).one_or_none()
    if found is not None and found.epoch > load.epoch:
        raise Superseded(
            "superseded",
            f"attempt {load.epoch} at {load.load_id} is no longer the newest (that is {found.epoch})",
            remedy="Nothing to do: the newer attempt has taken over",
        )
    # A ledger that was put back to an earlier time gives the same number to the next attempt, at another content.
    if found is None or found.epoch < load.epoch or found.content != load.content:
        raise AttemptLost(
            "attempt_lost",
            f"the ledger no longer knows attempt {load.epoch} at {load.load_id}",
            expected="the ledger in which it was opened",
            remedy="The database was put back to an earlier time, by a backup or by a standby that was promoted before "
            "it had all changes, or somebody has deleted from the ledger. Run the load again",
        )
    if found.state == "published" and found.published_epoch != load.epoch:
        raise ReconciliationError(
            "ledger_altered",
            f"the ledger calls attempt {load.epoch} at {load.load_id} published, but it has no record of a publication",
            remedy="Somebody has changed the ledger by hand. Run the load again: it begins a new attempt",
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
    connection.execute(update(attempts).where(of_attempt(load)).values(**values))


def add_warning(connection: Connection, load: Load, warning: str) -> None:
    """Note with the attempt what a person should know."""
    update_attempt(connection, load, warnings=[*attempt(connection, load).warnings, warning])


def loading_again(connection: Connection, load: Load) -> None:
    """Note that staged rows have changed: whatever the attempt was, it must be reconciled anew."""
    connection.execute(
        update(attempts)
        .where(
            of_attempt(load),
            attempts.c.state != "loading",
        )
        .values(state="loading", error_code=None, error_message=None, ended_at=None)
    )


def attempt(connection: Connection, load: Load) -> Row[Any]:
    """The ledger row of this attempt."""
    return connection.execute(select(attempts).where(of_attempt(load))).one()


def record_reconciled(connection: Connection, load: Load) -> None:
    """Note that the load may be published."""
    update_attempt(connection, load, state="reconciled", error_code=None, error_message=None, ended_at=None)


def record_release(connection: Connection, load: Load, state: str, reason: str, by: str) -> None:
    """Note who lets a load be published that is held for its number of rows; raises ``FeedError`` when it isn't.

    Released before and not published yet, it stays released as it was.
    """
    found = attempt(connection, load)
    if found.released_at is not None and state != "published":
        return
    if state != "held" or found.error_code not in HELD_FOR:
        raise FeedError(
            "not_held",
            f"{load.load_id} is {state}" + (f": {found.error_code}" if found.error_code else ""),
            expected="a load that is held because too many rows were rejected, too few came, they differ too much, or "
            "its witness says another number",
            remedy="See `factload status`",
        )
    update_attempt(
        connection,
        load,
        released_by=storable(connection, by),
        released_at=func.clock_timestamp(),
        release_reason=storable(connection, reason),
    )


def record_published(
    connection: Connection,
    load: Load,
    rows: int,
    totals: dict[str, str],
    digest: Mapping[str, Any],
    kept_of: int | None,
) -> None:
    """Note, in the transaction that publishes, that these rows are what readers see now. ``digest``: columns of the
    attempt that say what the rows' content is known by; ``kept_of``: the attempt whose rows are kept, if any are.

    Rejects and partitions of other contents (a workbook since corrected) go with the rows they stood for.
    """
    update_attempt(
        connection,
        load,
        state="published",
        published_rows=rows,
        published_totals=totals,
        **digest,
        ended_at=func.clock_timestamp(),
    )
    connection.execute(
        update(loads).where(loads.c.load_id == load.load_id).values(published_epoch=load.epoch)
    )
    kept_content = select(attempts.c.content).where(
        attempts.c.load_id == load.load_id, attempts.c.epoch == kept_of
    )
    for table in (rejects, partitions):
        gone = (table.c.load_id == load.load_id) & (table.c.content != load.content)
        if kept_of is not None:
            gone &= table.c.content != kept_content.scalar_subquery()
        connection.execute(delete(table).where(gone))


def record_end(connection: Connection, load: Load, error: FactloadError) -> None:
    """Note why an attempt ended, unless a newer one began or it was published after all."""
    state = "failed"
    if isinstance(error, RowsRefused):
        state = "held" if error.code in HELD_FOR else "refused"
    elif isinstance(error, WorkbookError):
        state = "refused"
    newest = connection.execute(_newest(load).with_for_update(of=loads, key_share=True)).one_or_none()
    if newest is None or (newest.epoch, newest.content) != (load.epoch, load.content):
        return
    if newest.state == "published":
        return
    update_attempt(
        connection,
        load,
        state=state,
        error_code=error.code,
        error_message=storable(connection, str(error)),
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
    """Note that a step ran.

    ``step``: its name; ``item``: the dimension's name, the partition's label, or "". ``started``, ``finished``: aware
    times. ``peak``: the largest resident set of its process in MB (10^6 bytes).
    """
    connection.execute(
        insert(steps).values(
            load_id=load.load_id,
            epoch=load.epoch,
            step=step,
            item=storable(connection, item),
            started_at=started,
            finished_at=finished,
            peak_rss_mb=round(peak, 1),
        )
    )
