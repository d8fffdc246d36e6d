"""Rows that a publication or an undo took out of a fact table, and that may come back: in a table of their own in the
staging schema, one a load, until its time is over. They are those of the load's last change alone.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import MetaData, Table, delete, func, insert, select
from sqlalchemy.engine import Connection

from factload.ledger.tables import STAGING_SCHEMA, kept
from factload.staging.in_use import held_if_free

KEPT_AFTER_UNDO = timedelta(days=7)
"""How long rows are kept that an undo took out, of a feed that doesn't say."""


def table_of(load_id: str, epoch: int) -> Table:
    """The table for the rows that the attempt ``epoch`` published."""
    name = "kept_" + hashlib.sha256(f"{load_id} {epoch}".encode()).hexdigest()[:24]
    return Table(name, MetaData(schema=STAGING_SCHEMA))


def record(connection: Connection, load_id: str, epoch: int, of_epoch: int, keep_for: timedelta) -> None:
    """Note that the attempt ``epoch`` took out the rows that ``of_epoch`` had published, into ``table_of`` these."""
    connection.execute(
        insert(kept).values(
            load_id=load_id,
            epoch=epoch,
            of_epoch=of_epoch,
            table_name=table_of(load_id, of_epoch).name,
            keep_until=func.clock_timestamp() + keep_for,
        )
    )


def forget(connection: Connection, load_id: str) -> None:
    """Drop what is kept of a load: something else is going to be its last change."""
    gone = delete(kept).where(kept.c.load_id == load_id).returning(kept.c.table_name)
    for name in connection.scalars(gone).all():
        Table(name, MetaData(schema=STAGING_SCHEMA)).drop(connection, checkfirst=True)


def expired(connection: Connection) -> list[str]:
    """The loads whose kept rows have had their time."""
    over = select(kept.c.load_id).where(kept.c.keep_until < func.clock_timestamp())
    return list(connection.scalars(over))


def forget_expired(connection: Connection, load_id: str) -> None:
    """Drop what is kept of a load, if its time is still over, and nobody works on the load."""
    if held_if_free(connection, load_id) and load_id in expired(connection):
        forget(connection, load_id)
