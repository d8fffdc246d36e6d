"""Staging to fact, in one transaction: readers see a load's old rows or its new ones, never a part, never both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Enum,
    Select,
    Table,
    Text,
    and_,
    cast,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from factload.errors import ReconciliationError
from factload.fact.relation import acts_after_an_insert, relation_of
from factload.fact.resolve import measures
from factload.fact.table import load_key
from factload.feed.model import Feed
from factload.ledger.tables import loads
from factload.load import Load
from factload.postgres.errors import room_for
from factload.postgres.locks import locked
from factload.reconcile.read_back import Content, columns_that_differ, content_of, require_same

_ROWS_MEMORY = "64MB"
_DEFERRED_TRIGGERS_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")


@dataclass(frozen=True, slots=True)
class Published:
    """The published rows, as read back from the fact table; and how many older rows of the load they replaced."""

    content: Content
    replaced: int


def publish_rows(
    connection: Connection, load: Load, feed: Feed, fact: Table, staging: Table, published_before: int
) -> Published:
    """Bring the staged rows into ``fact`` as the feed's mode says, inside the caller's transaction.

    ``published_before``: how many rows the last publication of this load put there. Raises ``ReconciliationError``
    unless what stands in the table then, whatever triggers, rules or policies did, is what was staged; and
    ``TransientError`` when the table is locked for too long.
    """
    staged = content_of(connection, _columns_of(feed, staging), list(feed.fact.columns), measures(feed))
    # What an INSERT returns, and the keys that rows are joined by, are kept in memory, not in a file.
    _, size = connection.execute(
        select(func.set_config("work_mem", _ROWS_MEMORY, True), func.pg_table_size(str(staging)))
    ).one()
    with room_for(f"the staged rows into {feed.fact.table}", size), locked(connection, fact):
        replaced = _make_room(connection, load, feed, fact, published_before)
        statement = _insertion(load, feed, fact, staging)
        rows: Select[Any] | None
        if feed.fact.mode.kind == "append_once" and feed.fact.load_column is None:
            found, rows = _appended(connection, load, feed, fact, statement)
        else:
            connection.execute(statement)
            connection.execute(_DEFERRED_TRIGGERS_NOW)
            rows = _rows_of_load(load, feed, fact, staging)
            found = content_of(connection, rows, list(feed.fact.columns), measures(feed))
        if found != staged:
            theirs = _columns_of(feed, staging)
            differing = (
                columns_that_differ(connection, list(feed.fact.columns), theirs, rows)
                if rows is not None
                else []
            )
            require_same(load.load_id, staged, found, differing)
    return Published(found, replaced)


def _make_room(connection: Connection, load: Load, feed: Feed, fact: Table, published_before: int) -> int:
    """Delete the rows that `replace` replaces; returns how many there were.

    The rows that carry the load's identity are those that its last publication put there, or fewer, where a person
    deleted some. Others are not this load's to delete; and what can't be deleted is found when rows are read back.
    """
    if feed.fact.load_column is None or feed.fact.mode.kind == "upsert":
        return 0
    column = fact.c[feed.fact.load_column]
    of_load = column == load_key(column, load.load_id)
    if feed.fact.mode.kind == "replace":
        found = connection.execute(delete(fact).where(of_load)).rowcount
    else:
        found = connection.scalar(select(func.count()).select_from(fact).where(of_load)) or 0
    if found > published_before:
        raise ReconciliationError(
            "facts_unknown",
            f"{found} rows of {feed.fact.table} carry {load.load_id} in {column.name}, and {published_before} "
            "were published by this load",
            remedy=f"Nothing was published. Look where they come from: a trigger, another program, an older ledger. "
            f"If they may go, DELETE the rows with this {column.name}; then run the load again",
        )
    return found


def _insertion(load: Load, feed: Feed, fact: Table, staging: Table) -> Insert:
    columns = list(feed.fact.columns)
    values: list[Any] = [_as_in(fact.c[name], staging.c[name]) for name in columns]
    if feed.fact.load_column is not None:
        columns.append(feed.fact.load_column)
        values.append(literal(load_key(fact.c[feed.fact.load_column], load.load_id)))
    rows = select(*values)
    if not feed.fact.mode.keys:
        return insert(fact).from_select(columns, rows)
    # In the order of the keys, so that two loads which write the same ones wait for each other in a row.
    in_order = rows.order_by(*(staging.c[name] for name in sorted(feed.fact.mode.keys)))
    statement = upsert(fact).from_select(columns, in_order)
    # Columns of the key are among those that are set, to what they are: so there is always something to set.
    changed = {name: statement.excluded[name] for name in columns}
    keys = [fact.c[name] for name in feed.fact.mode.keys]
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def _appended(
    connection: Connection, load: Load, feed: Feed, fact: Table, statement: Insert
) -> tuple[Content, Select[Any] | None]:
    """Insert rows that nothing but their transaction tells from others.

    What the INSERT returns is what went in, unless a trigger acts on it afterwards. Only then is the table searched
    for the rows of this transaction, for which there is no index.
    """
    # Of the subtransaction, rather: what rows say they were made by. Any row of it says which it is.
    transaction = connection.scalar(
        update(loads)
        .where(loads.c.load_id == load.load_id)
        .values(target=feed.fact.table)
        .returning(_made_by())
    )
    returned = statement.returning(*_in_order(feed, fact)).cte("returned")
    found = content_of(connection, returned, list(feed.fact.columns), measures(feed))
    connection.execute(_DEFERRED_TRIGGERS_NOW)
    relation = relation_of(connection, fact)
    if relation.is_view:
        return found, None
    rows = _columns_of(feed, fact).where(_made_by() == transaction)
    if acts_after_an_insert(connection, relation):
        found = content_of(connection, rows, list(feed.fact.columns), measures(feed))
    return found, rows


def _as_in(column: Any, staged: Any) -> Any:
    """A staged value as the column holds it: labels of an enum are staged as texts."""
    return cast(staged, column.type) if isinstance(column.type, Enum) else staged


def _made_by() -> Any:
    return cast(literal_column("xmin"), Text)


def _columns_of(feed: Feed, table: Table) -> Select[Any]:
    return select(*_in_order(feed, table))


def _in_order(feed: Feed, table: Table) -> list[Any]:
    """The columns that the feed fills, by names of their own: SQLAlchemy cuts those of more than 57 characters."""
    return [table.c[name].label(f"column_{number}") for number, name in enumerate(feed.fact.columns)]


def _rows_of_load(load: Load, feed: Feed, fact: Table, staging: Table) -> Select[Any]:
    """The fact rows that this load wrote: those with its identity, or with the keys that it upserts."""
    rows = _columns_of(feed, fact)
    if feed.fact.mode.keys:
        rows = rows.join(
            staging,
            and_(*(fact.c[key] == _as_in(fact.c[key], staging.c[key]) for key in feed.fact.mode.keys)),
        )
    if feed.fact.load_column is not None:
        column = fact.c[feed.fact.load_column]
        rows = rows.where(column == load_key(column, load.load_id))
    return rows
