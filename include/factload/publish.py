"""Staging to fact, in one transaction: readers see a load's old rows or its new ones, never a part, never both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Executable, Table, delete, func, insert, literal, select
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement

from factload.database import load_key
from factload.errors import ReconciliationError
from factload.load import Load

_RETURNED_ROWS_MEMORY = "64MB"


class LockTable(Executable, ClauseElement):
    """``LOCK TABLE … IN ROW EXCLUSIVE MODE``: what an INSERT takes anyway, but waited for with a bound."""

    inherit_cache = False

    def __init__(self, table: Table) -> None:
        self.table = table


@compiles(LockTable)
def _lock_table(element: LockTable, compiler: Any, **_: Any) -> str:
    return f"LOCK TABLE {compiler.preparer.format_table(element.table)} IN ROW EXCLUSIVE MODE"


def replace_rows(
    connection: Connection,
    load: Load,
    fact: Table,
    staging: Table,
    columns: Sequence[str],
    load_column: str,
    measures: Sequence[str],
) -> tuple[int, dict[str, Decimal]]:
    """Replace the load's rows in ``fact`` with the staged ones, inside the caller's transaction.

    Returns how many rows went in, and the exact sum of each measure over them: taken from what the INSERT
    returned, so a trigger or rule that changes rows on their way is seen.
    """
    connection.execute(LockTable(fact))
    # What the INSERT returns is kept until it has ended: in memory, not in a file.
    connection.execute(select(func.set_config("work_mem", _RETURNED_ROWS_MEMORY, True)))
    key = load_key(fact.c[load_column], load.load_id)
    connection.execute(delete(fact).where(fact.c[load_column] == key))
    inserted = (
        insert(fact)
        .from_select(
            [*columns, load_column],
            select(*(staging.c[name] for name in columns), literal(key)),
        )
        .returning(*(fact.c[name] for name in measures or columns[:1]))
        .cte("inserted")
    )
    row = connection.execute(
        select(func.count(), *(func.sum(inserted.c[name]) for name in measures)).select_from(inserted)
    ).one()
    return row[0], {name: row[1 + i] or Decimal(0) for i, name in enumerate(measures)}


def require_all_published(
    load_id: str, staged: int, rows: int, source_totals: Mapping[str, str], totals: Mapping[str, Decimal]
) -> None:
    """Raise ``ReconciliationError``, so that the transaction rolls back, unless what went in is what was staged."""
    off = [
        f"control total of {name} is off by {totals[name] - Decimal(source_totals[name])}"
        for name in totals
        if totals[name] != Decimal(source_totals[name])
    ]
    if rows != staged:
        off.insert(0, f"{rows} rows went into the fact table, {staged} were staged")
    if off:
        raise ReconciliationError(
            "publish_differs",
            f"{load_id}: {'; '.join(off)}",
            remedy="Nothing was published. Look for triggers, rules or policies on the fact table",
        )
