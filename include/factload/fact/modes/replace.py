"""``replace``: the rows that the load published before are deleted, and the staged ones inserted.

A load's rows are found by the load column. What can't be deleted is found when rows are read back.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select

from factload.errors import ReconciliationError
from factload.fact.cascades import cascade_advice
from factload.fact.digest import columns_filled
from factload.fact.load_column import carries
from factload.fact.load_index import load_index_advice
from factload.fact.modes.mode import PublishingMode
from factload.fact.modes.publishing import (
    DEFERRED_TRIGGERS_NOW,
    Publishing,
    Written,
    by_inserting,
    by_inserting_slices,
)
from factload.fact.taking_out import TakingBack, bring_back, take_out
from factload.postgres.locks import locked_for_writing
from factload.reconcile.read_back import Content, content_of


def _delete(at: Publishing) -> int:
    if (aside := at.set_aside()) is not None:
        take_out(at.connection, at.feed, at.fact, at.load.load_id, aside)
    deleted = at.connection.execute(delete(at.fact).where(at.of_this_load())).rowcount
    at.require_own(deleted)
    return deleted


def _publish(at: Publishing) -> Written:
    deleted = _delete(at)
    at.connection.execute(at.insert())
    return _read_back(at, deleted)


def _read_back(at: Publishing, deleted: int) -> Written:
    at.run_deferred_triggers()
    rows = at.rows_of(at.fact).where(at.of_this_load())
    return Written(at.content_of(rows), rows, at.missing_before(deleted))


def _take_back(at: TakingBack) -> None:
    with locked_for_writing(at.connection, at.fact):
        if at.standing:
            take_out(at.connection, at.feed, at.fact, at.load.load_id, at.aside)
        at.require_as_many(at.connection.execute(delete(at.fact).where(_of_load(at))).rowcount)
        if at.back is not None:
            bring_back(at.connection, at.feed, at.fact, at.back)
        at.connection.execute(DEFERRED_TRIGGERS_NOW)
        _require_same(at)


def _require_same(at: TakingBack) -> None:
    """Raise ``ReconciliationError`` unless what stands of the load is what was brought back, after every trigger."""
    names = list(at.feed.fact.columns)
    rows = select(*columns_filled(at.fact, at.feed)).where(_of_load(at))
    found = content_of(at.connection, rows, names, at.feed.fact.measures)
    wanted = Content(0, found.totals, found.digest)
    if at.back is not None:
        kept = select(*columns_filled(at.back, at.feed))
        wanted = content_of(at.connection, kept, names, at.feed.fact.measures)
    if found != wanted:
        raise ReconciliationError(
            "undo_differs",
            f"{found.rows:,} rows of {at.load.load_id} would stand in {at.feed.fact.table}, which are not the "
            f"{wanted.rows:,} rows that stood there before",
            remedy="Nothing was undone. Look for triggers, rules or policies on the fact table that change or drop "
            "rows",
        )


def _of_load(at: TakingBack) -> ColumnElement[bool]:
    return carries(at.fact, at.feed.fact.load_column, at.load.load_id)


MODE = PublishingMode(
    commands=("INSERT", "DELETE"),
    publish=by_inserting(_publish),
    publish_slices=by_inserting_slices(_delete, _read_back),
    take_back=_take_back,
    advice=(load_index_advice, cascade_advice),
    replaces=True,
)
