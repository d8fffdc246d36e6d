"""The sign that a step is at work on a load, which keeps the load's staging from being swept.

It is a time in the ledger, and no lock of a session: a pooler hands a session to somebody else after each
transaction, and a lock would outlive its step there, or be lost to it.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from factload.ledger.conditions import of_attempt
from factload.ledger.tables import attempts, loads
from factload.load import Load

_PATIENCE = "1s"  # with a person who reads a table that is to be dropped
_RENEWED_AFTER = timedelta(hours=1)  # far below the shortest time after which staging is swept


def at_work(connection: Connection, load: Load) -> None:
    """Note, with this transaction, that a step of the load begins; nothing is written where a sign is young.

    The sweep leaves alone what a transaction is about to sign, and holds a step up while it removes.
    """
    last_sign = func.greatest(attempts.c.opened_at, attempts.c.worked_at)
    connection.execute(
        update(attempts)
        .where(of_attempt(load), last_sign < func.clock_timestamp() - _RENEWED_AFTER)
        .values(worked_at=func.clock_timestamp())
    )


def held_if_free(connection: Connection, load_id: str) -> bool:
    """Whether no attempt at the load is being opened or ended; none is then before the transaction ends, which from
    here on has little patience with locks."""
    connection.execute(select(func.set_config("lock_timeout", _PATIENCE, True)))
    held = select(loads.c.load_id).where(loads.c.load_id == load_id).with_for_update(skip_locked=True)
    return connection.scalar(held) is not None


def held_for_sweeping(connection: Connection, load_id: str) -> bool:
    """Whether no step is about to sign; none begins then before the transaction ends."""
    of_load = select(attempts.c.epoch).where(attempts.c.load_id == load_id)
    found = connection.execute(of_load.with_for_update(skip_locked=True)).all()
    return len(found) == connection.scalar(
        select(func.count()).select_from(attempts).where(attempts.c.load_id == load_id)
    )
