"""What a publication or an undo changed of members: what each had before, and what it has since.

They are those of the load's last change alone, as an undo takes back no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, literal, select
from sqlalchemy.engine import Connection

from factload.ledger.ledger import add_warning, attempt, update_attempt
from factload.ledger.tables import attempts, loads, member_changes
from factload.load import Load

MemberCounts = Mapping[str, Mapping[str, int]]
"""Dimension → ``updated``, members that have something else now, ``left``, members that were left as they are, and
``added``, new versions."""


CHANGE = ["load_id", "epoch", "dimension", "table_name", "surrogate", "before", "after"]
"""The columns of a change, those of validity left out."""


def of_attempt(
    load: Load, dimension: str, table: str, surrogate: ColumnElement[Any]
) -> list[ColumnElement[Any]]:
    """What the first columns of ``CHANGE``, up to the surrogate key, hold for a change that this attempt makes."""
    said: list[ColumnElement[Any]] = [
        literal(value) for value in (load.load_id, load.epoch, dimension, table)
    ]
    return [*said, cast(surrogate, Text)]


def changes_of(load_id: str, epoch: int) -> ColumnElement[bool]:
    """The changes that this attempt made."""
    return (member_changes.c.load_id == load_id) & (member_changes.c.epoch == epoch)


def forget_older(connection: Connection, load_id: str, epoch: int) -> None:
    """Forget what other attempts at the load changed: this one is its last change."""
    connection.execute(
        delete(member_changes).where(member_changes.c.load_id == load_id, member_changes.c.epoch != epoch)
    )


def newer_loads(connection: Connection, load: Load) -> dict[str, date]:
    """The loads of newer periods of the same feed whose rows readers see, in their order, and their periods."""
    found = (
        select(loads.c.load_id, loads.c.period)
        .join(
            attempts,
            (attempts.c.load_id == loads.c.load_id) & (attempts.c.epoch == loads.c.published_epoch),
        )
        .where(loads.c.feed == load.feed, loads.c.period > load.period_date, attempts.c.published_rows > 0)
        .order_by(loads.c.period)
    )
    return {row.load_id: row.period for row in connection.execute(found)}


def record_members(connection: Connection, load: Load, counts: MemberCounts, why_left: str) -> None:
    """Note how many members the attempt changed, and how many it left, with a warning that says why."""
    known = attempt(connection, load).member_counts if counts else {}
    update_attempt(connection, load, member_counts={**known, **counts})
    for name, count in counts.items():
        if left := count["left"]:
            members = "1 member" if left == 1 else f"{left:,} members"
            add_warning(connection, load, f"{members} of dimension {name} left as before: {why_left}")
