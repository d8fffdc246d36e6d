"""``exchange``: the staged rows become a partition of the fact table, in the place of the load's partition before.

The rows are written once, by all load tasks side by side; what is done with the fact table takes milliseconds, however
many they are. The proof is that of the staging table, whose rows nobody else can change: it is the partition.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from factload.errors import Conflict, FeedError
from factload.fact.exchange.completion import completion, missing
from factload.fact.exchange.fitness import table_defects
from factload.fact.exchange.parent import Parent, parent_of, shape_of
from factload.fact.exchange.place import (
    default_advice,
    default_defects,
    elsewhere_defects,
    place_defects,
    referenced_by,
    shared,
    shared_with_others,
)
from factload.fact.exchange.staging import OWN, bound_value, make_staging, staging_table
from factload.fact.exchange.swap import Exchange
from factload.fact.modes.mode import ForbiddenRules, PublishingMode
from factload.fact.modes.publishing import Published, Publishing
from factload.fact.relation import relation_of
from factload.fact.taking_out import TakingBack
from factload.load import Load
from factload.postgres.errors import room_for
from factload.postgres.locks import LockTable, in_short_waits
from factload.postgres.statements import run
from factload.reconcile.counts import Reconciliation
from factload.staging import kept


def _complete(
    connection: Connection, load: Load, fact: Table, staging: Table, fence: Callable[[], object]
) -> None:
    with connection.begin():
        fence()
        parent = parent_of(connection, fact)
        size = connection.scalar(select(func.pg_table_size(str(staging)))) or 0
        statements = completion(connection, parent, staging, load)
    for statement in statements:
        with connection.begin(), room_for("indexes on the staged rows", size):
            fence()
            statement.carry_out(connection)


def _publish(at: Publishing, proved: Reconciliation) -> Published:
    parent = parent_of(at.connection, at.fact)
    value = bound_value(parent, at.load.load_id, at.load.period_date, at.feed, at.fact)
    _require_complete(at, parent)
    old = parent.partition_of(at.connection, value)
    if defects := list(elsewhere_defects(at.connection, parent, at.feed, at.fact, at.load.load_id, old)):
        raise FeedError.together(defects)
    exchange = Exchange(at.connection, parent, at.staging, at.load, value, old, at.set_aside())
    exchange.prepare(at.feed.fact.load_column or "")
    locked = [at.fact, *referenced_by(at.connection, parent)]
    found = in_short_waits(at.connection, locked, lambda: _exchanged(at, exchange))
    kept_of = at.kept_of if old is not None else None
    return Published(proved.staged, proved.totals, at.missing_before(found), kept_of=kept_of)


def _exchanged(at: Publishing, exchange: Exchange) -> int:
    """Old out, new in; returns how many rows of the load stood there before."""
    found = _rows_before(at, exchange)
    at.require_own(found)
    # What was kept until now goes here, where waits are short: its foreign keys lock what they point to.
    kept.forget(at.connection, at.load.load_id)
    exchange.carry_out()
    return found


def _rows_before(at: Publishing | TakingBack, exchange: Exchange) -> int:
    """How many rows of the load stand in the old partition, which are all that it has, and which nobody changes any
    more."""
    parent, old = exchange.parent, exchange.old
    # Readers and writers go on; which partitions there are does not change any more.
    run(at.connection, "LOCK TABLE ONLY {} IN SHARE UPDATE EXCLUSIVE MODE", parent.identifier)
    if parent.partition_of(at.connection, exchange.value) != old:
        raise _changed(at, "partitions")
    if old is None:
        if defects := list(default_defects(at.connection, parent, exchange.value, at.feed)):
            raise FeedError.together(defects)
        return 0
    at.connection.execute(LockTable(old.table, "SHARE"))
    found, others = shared_with_others(at.connection, at.feed, at.fact, at.load.load_id, old)
    if others:
        raise shared(at.feed, at.load.load_id, old, others)
    return found


def _take_back(at: TakingBack) -> None:
    parent = parent_of(at.connection, at.fact)
    value = bound_value(parent, at.load.load_id, at.load.period_date, at.feed, at.fact)
    old = parent.partition_of(at.connection, value)
    if defects := list(elsewhere_defects(at.connection, parent, at.feed, at.fact, at.load.load_id, old)):
        raise FeedError.together(defects)
    aside = at.aside if at.standing else None
    new = at.aside if at.back is None else at.back
    exchange = Exchange(at.connection, parent, new, at.load, value, old, aside)
    exchange.require_place()
    if at.back is not None:
        _require_shape(at, parent, at.back)
        exchange.prepare_as_it_was()
    locked = [at.fact, *referenced_by(at.connection, parent)]
    in_short_waits(at.connection, locked, lambda: _taken_back(at, exchange))


def _taken_back(at: TakingBack, exchange: Exchange) -> None:
    at.require_as_many(_rows_before(at, exchange))
    if at.back is None:
        exchange.take_out()
    else:
        exchange.carry_out()


def _require_shape(at: TakingBack, parent: Parent, back: Table) -> None:
    """Raise where the fact table is no longer what it was when the rows that come back stood there."""
    oid = relation_of(at.connection, back).oid
    if shape_of(at.connection, oid) != shape_of(at.connection, parent.oid):
        raise FeedError(
            "undo_table_changed",
            f"{at.feed.fact.table} has other columns or CHECK constraints than when the rows that are to come "
            "back stood there",
            expected="the columns and CHECK constraints that it had",
            remedy="Nothing was undone. Change the table back, or load the workbook that is to stand",
        )


def _require_complete(at: Publishing, parent: Parent) -> None:
    """Raise where the fact table is no longer what the staging table was made like."""
    staged = relation_of(at.connection, at.staging).oid
    if any(missing(at.connection, parent, at.staging, at.load)):
        raise _changed(at, "indexes or constraints")
    if shape_of(at.connection, staged, without=OWN) != shape_of(at.connection, parent.oid):
        raise FeedError(
            "exchange_table_changed",
            f"columns or CHECK constraints of {at.feed.fact.table} were changed since {at.load.load_id} was staged",
            expected="the columns and CHECK constraints that the fact table has",
            remedy="Nothing was published. Run the load again from open_load: it is staged anew",
        )


def _changed(at: Publishing | TakingBack, what: str) -> Conflict:
    return Conflict(
        "conflict",
        f"{what} of {at.feed.fact.table} were changed while {at.load.load_id} was at work",
        remedy="Nothing was changed by it. Run it again",
    )


MODE = PublishingMode(
    commands=(),
    publish=_publish,
    forbidden_rules=lambda _: ForbiddenRules(("INSERT",), "none"),
    defects=table_defects,
    place_defects=place_defects,
    advice=(default_advice,),
    staging_table=staging_table,
    make_staging=make_staging,
    complete=_complete,
    take_back=_take_back,
    reads_back=False,
    replaces=True,
)
