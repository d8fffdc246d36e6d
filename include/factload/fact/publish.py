"""Staging to fact, in one transaction: readers see a load's old rows or its new ones, never a part, never both."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, Table, delete, func, insert, literal, select, types
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Connection

from factload.database import room_for
from factload.errors import ReconciliationError
from factload.fact.locks import locked
from factload.fact.resolve import measures
from factload.fact.table import load_key
from factload.feed.model import Feed
from factload.load import Load
from factload.proof.reconcile import EXACT, Reconciliation

_RETURNED_ROWS_MEMORY = "64MB"


def publish_rows(
    connection: Connection, load: Load, feed: Feed, fact: Table, staging: Table
) -> tuple[int, dict[str, Decimal]]:
    """Bring the staged rows into ``fact`` as the feed's mode says, inside the caller's transaction.

    Returns how many rows went in, and the exact sum of each measure over them: taken from what the INSERT
    returned, so a trigger or rule that changes rows on their way is seen. Raises ``TransientError`` when the
    table is locked for too long.
    """
    keys = _number_keys(feed, fact)
    summed = [*measures(feed), *keys]
    # What the INSERT returns is kept until it has ended: in memory, not in a file.
    _, size = connection.execute(
        select(func.set_config("work_mem", _RETURNED_ROWS_MEMORY, True), func.pg_table_size(str(staging)))
    ).one()
    with room_for(f"the staged rows into {feed.fact.table}", size), locked(connection, fact):
        if feed.fact.mode.kind == "replace":
            column = fact.c[feed.fact.load_column or ""]
            connection.execute(delete(fact).where(column == load_key(column, load.load_id)))
        inserted = _insert(load, feed, fact, staging, summed)
        sums = [func.sum(inserted.c[_returned(i)]) for i in range(len(summed))]
        row = connection.execute(select(func.count(), *sums).select_from(inserted)).one()
    # The sum over no rows is NULL, and the sum of a smallint or integer comes as an int.
    totals = {name: Decimal(0 if row[1 + i] is None else row[1 + i]) for i, name in enumerate(summed)}
    if keys:
        staged = connection.execute(select(*(func.sum(staging.c[name]) for name in keys))).one()
        _require_same_keys(load.load_id, dict(zip(keys, staged, strict=True)), totals)
    return row[0], {name: totals[name] for name in measures(feed)}


def _number_keys(feed: Feed, fact: Table) -> list[str]:
    """The surrogate keys that can be summed."""
    return [
        name
        for name, source in feed.fact.columns.items()
        if source.dimension is not None and isinstance(fact.c[name].type, types.Integer)
    ]


def _insert(load: Load, feed: Feed, fact: Table, staging: Table, returned: list[str]) -> CTE:
    columns = list(feed.fact.columns)
    values: list[Any] = [staging.c[name] for name in columns]
    if feed.fact.load_column is not None:
        columns.append(feed.fact.load_column)
        values.append(literal(load_key(fact.c[feed.fact.load_column], load.load_id)))
    rows = select(*values)
    returning = [fact.c[name].label(_returned(i)) for i, name in enumerate(returned or columns[:1])]
    if not feed.fact.mode.keys:
        return insert(fact).from_select(columns, rows).returning(*returning).cte("inserted")
    statement = upsert(fact).from_select(columns, rows)
    # Columns of the key are among those that are set, to what they are: so there is always something to set,
    # and every row is returned.
    changed = {name: statement.excluded[name] for name in columns}
    keys = [fact.c[name] for name in feed.fact.mode.keys]
    return (
        statement.on_conflict_do_update(index_elements=keys, set_=changed)
        .returning(*returning)
        .cte("inserted")
    )


def _returned(place: int) -> str:
    """A name of its own for a column that is returned: SQLAlchemy cuts those of more than 57 characters."""
    return f"returned_{place}"


def _require_same_keys(
    load_id: str, staged: Mapping[str, Decimal | None], totals: Mapping[str, Decimal]
) -> None:
    if off := [name for name, total in staged.items() if (total or 0) != totals[name]]:
        raise _differs(
            load_id, [f"other values of {name} went into the fact table than were staged" for name in off]
        )


def require_all_published(
    load_id: str, proved: Reconciliation, rows: int, totals: Mapping[str, Decimal]
) -> None:
    """Raise ``ReconciliationError``, so that the transaction rolls back, unless what went in is what was staged."""
    off = [
        f"control total of {name} is off by {EXACT.subtract(totals[name], proved.totals[name])}"
        for name in totals
        if totals[name] != proved.totals[name]
    ]
    if rows != proved.staged:
        off.insert(0, f"{rows} rows went into the fact table, {proved.staged} were staged")
    if off:
        raise _differs(load_id, off)


def _differs(load_id: str, off: list[str]) -> ReconciliationError:
    return ReconciliationError(
        "publish_differs",
        f"{load_id}: {'; '.join(off)}",
        remedy="Nothing was published. Look for triggers, rules or policies on the fact table",
    )
