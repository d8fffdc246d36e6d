"""What an undo brings back, and what is noted of it.

A load's last change is its newest attempt that published, or that undid and left nothing (state ``undone``). An undo is
an attempt of its own: its number is the load's next epoch, and what it brings back is as if it had published that. So
whoever worked on the load before is told of a newer attempt, and undoing an undo is nothing special.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.engine import Connection

from factload.errors import FeedError, Superseded
from factload.ledger.opening import end_older, no_such_load
from factload.ledger.tables import attempts, kept, loads
from factload.postgres.encoding import storable

_CHANGES = ("published", "undone")
# What the attempt that undoes has of its own, and not of the one whose rows it brings back.
_OWN: Mapping[str, Any] = {
    "warnings": [],
    "error_code": None,
    "error_message": None,
    "released_by": None,
    "released_at": None,
    "release_reason": None,
    "verified_at": None,
    "verified_as": None,
    "member_counts": {},
}
_NO_ROWS: Mapping[str, Any] = {
    "source_rows": 0,
    "blank_rows": 0,
    "left_out_rows": {},
    "rejected_rows": 0,
    "staged_rows": 0,
    "published_rows": 0,
    "source_totals": {},
    "published_totals": {},
    "published_digest": None,
    "published_columns": None,
    "hash_probe": None,
}


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What an undo of a load is about, as rows of ``attempts``. ``standing``: whose rows readers see, None for nothing;
    ``previous``: whose rows come back, None for nothing; ``kept_in``: the table that has them; ``epoch``: the undo's
    own attempt; ``undoes``: the load's last change."""

    load_id: str
    feed: str
    period: Any
    epoch: int
    undoes: int
    standing: Row[Any] | None
    previous: Row[Any] | None
    kept_in: str | None

    @property
    def model(self) -> Row[Any]:
        """The attempt that the undo's own is made like: whose rows come back, or else those that go."""
        model = self.previous if self.previous is not None else self.standing
        if model is None:
            raise TypeError(f"nothing of {self.load_id} stands, and nothing comes back")
        return model


def last_change(connection: Connection, load_id: str) -> int:
    """The epoch of a load's last change; raises ``FeedError`` for a load that there isn't, or that never had one."""
    if connection.scalar(select(loads.c.epoch).where(loads.c.load_id == load_id)) is None:
        raise no_such_load(load_id)
    found = _change_before(connection, load_id)
    if found is None:
        raise FeedError(
            "never_published",
            f"{load_id} was never published, so there is nothing to undo",
            expected="a load that is published",
            remedy="See `factload status`",
        )
    return int(found.epoch)


def hold(connection: Connection, load_id: str) -> Row[Any]:
    """The load, which nobody else opens or undoes until the transaction ends."""
    statement = select(loads).where(loads.c.load_id == load_id).with_for_update(key_share=True)
    return connection.execute(statement).one()


def is_undone(connection: Connection, load_id: str, undoes: int, reason: str, by: str) -> bool:
    """Whether the load's last change is the undo of the attempt ``undoes`` that was asked for in these words."""
    found = _change_before(connection, load_id)
    asked = (undoes, storable(connection, by), storable(connection, reason))
    return found is not None and (found.undoes, found.undone_by, found.undo_reason) == asked


def plan_undo(connection: Connection, load: Row[Any], undoes: int) -> UndoPlan:
    """What an undo of the load, which the caller holds, comes to.

    ``undoes``: the load's last change, as the caller knows it. Raises ``Superseded`` where it is another by now, and
    ``FeedError`` where what stood before is not kept.
    """
    load_id = load.load_id
    if (change := last_change(connection, load_id)) != undoes:
        raise Superseded(
            "superseded",
            f"attempt {change} has changed what is published of {load_id} since this undo began",
            remedy="Nothing was undone. See `factload status`, and undo again if it is still wanted",
        )
    standing = _attempt(connection, load_id, load.published_epoch)
    found = connection.execute(
        select(kept).where(kept.c.load_id == load_id, kept.c.epoch == change)
    ).one_or_none()
    if found is not None:
        previous = _attempt(connection, load_id, found.of_epoch)
    elif standing is None:
        previous = _taken_back(connection, load_id, change)
        if previous is None or previous.published_rows:
            raise _not_kept(load_id, "its rows were taken back, and they are not kept any more")
    else:
        previous = _change_before(connection, load_id, change)
        if previous is not None and previous.state == "undone":
            previous = None
        if previous is not None and previous.published_rows:
            raise _not_kept(
                load_id, f"attempt {previous.epoch} had published other rows before, and they are not kept"
            )
    return UndoPlan(
        load_id=load_id,
        feed=load.feed,
        period=load.period,
        epoch=load.epoch + 1,
        undoes=change,
        standing=standing,
        previous=previous,
        kept_in=found.table_name if found is not None else None,
    )


def record_undo(connection: Connection, plan: UndoPlan, reason: str, by: str) -> None:
    """Note, in the transaction that does it, who undid what and why, and what readers see from now on."""
    model = plan.model
    own = {
        **_OWN,
        "epoch": plan.epoch,
        "state": "published",
        "undoes": plan.undoes,
        "undone_by": storable(connection, by),
        "undo_reason": storable(connection, reason),
        "opened_at": func.now(),
        "ended_at": func.clock_timestamp(),
    }
    if plan.previous is None:
        own |= {**_NO_ROWS, "state": "undone"}
    connection.execute(insert(attempts).values({**model._mapping, **own}))
    visible = plan.epoch if plan.previous is not None else None
    connection.execute(
        update(loads)
        .where(loads.c.load_id == plan.load_id)
        .values(epoch=plan.epoch, published_epoch=visible, target=model.target or loads.c.target)
    )
    end_older(connection, plan.load_id, plan.epoch)


def _attempt(connection: Connection, load_id: str, epoch: int | None) -> Row[Any] | None:
    return connection.execute(
        select(attempts).where(attempts.c.load_id == load_id, attempts.c.epoch == epoch)
    ).one_or_none()


def _taken_back(connection: Connection, load_id: str, undo: int) -> Row[Any] | None:
    """The attempt that an undo took back, and left nothing."""
    found = _attempt(connection, load_id, undo)
    return None if found is None else _attempt(connection, load_id, found.undoes)


def _change_before(connection: Connection, load_id: str, epoch: int | None = None) -> Row[Any] | None:
    """The newest attempt before ``epoch`` that changed what readers see; before the end of time, if none is given."""
    query = select(attempts).where(attempts.c.load_id == load_id, attempts.c.state.in_(_CHANGES))
    if epoch is not None:
        query = query.where(attempts.c.epoch < epoch)
    return connection.execute(query.order_by(attempts.c.epoch.desc()).limit(1)).one_or_none()


def _not_kept(load_id: str, seen: str) -> FeedError:
    feed, _, period = load_id.partition("@")
    return FeedError(
        "nothing_kept",
        f"{load_id} can't be undone: {seen}",
        expected="a feed with `keep_previous`, such as 7d, before the change that is to be undone, which is no longer "
        "ago than that",
        remedy=f"Load the workbook that is to stand: `factload run {feed} --period {period} --workbook ...`",
    )
