"""The rejects of a load's newest attempt, a page at a time: the database filters, orders and cuts.

Pages follow each other by the last row's place in the workbook (keyset), not by an offset: the thousandth page costs
what the first does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.engine import Connection

from factload.ledger.tables import attempts, loads, rejects

# Where a page ended: workbook, sheet, Excel row.
Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One rejected row: where it stands, what the cell held, and why it could not be loaded.

    ``duplicate_of``: the row of the load that has the same value, and stays.
    """

    workbook: str
    sheet: str
    row: int
    cell: str | None
    column: str
    raw: str | None
    reason: str
    duplicate_of: str | None


@dataclass(frozen=True, slots=True)
class RejectPage:
    """Some rejected rows in the workbook's order; ``next`` is where the following page begins, if there is one."""

    rows: list[RejectedRow]
    next: Place | None


def rejects_by_reason(connection: Connection, load_id: str) -> dict[str, int]:
    """Reason code → rejected rows, most frequent first."""
    query = (
        select(rejects.c.reason, func.count())
        .where(*_of_newest_attempt(load_id))
        .group_by(rejects.c.reason)
        .order_by(func.count().desc(), rejects.c.reason)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def page_of_rejects(
    connection: Connection,
    load_id: str,
    *,
    reason: str | None = None,
    search: str = "",
    after: Place | None = None,
    limit: int = 50,
) -> RejectPage:
    """The rejects after ``after``, of one ``reason`` if it is named, that ``search`` is found in.

    ``search`` is looked for in the value and in the column's name, in either case; a number also finds its row.
    """
    place = (rejects.c.workbook, rejects.c.sheet, rejects.c.row)
    query = (
        select(*(rejects.c[name] for name in RejectedRow.__dataclass_fields__))
        .where(*_of_newest_attempt(load_id))
        .order_by(*place)
        .limit(limit + 1)
    )
    if reason:
        query = query.where(rejects.c.reason == reason)
    if search:
        query = query.where(_found(search))
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*after))
    found = [RejectedRow(*row) for row in connection.execute(query)]
    last = found[limit - 1] if len(found) > limit else None
    return RejectPage(found[:limit], (last.workbook, last.sheet, last.row) if last else None)


def _of_newest_attempt(load_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    content = (
        select(attempts.c.content)
        .join(loads, (attempts.c.load_id == loads.c.load_id) & (attempts.c.epoch == loads.c.epoch))
        .where(loads.c.load_id == load_id)
        .scalar_subquery()
    )
    return rejects.c.load_id == load_id, rejects.c.content == content


def _found(search: str) -> ColumnElement[bool]:
    where: list[Any] = [
        rejects.c.raw.icontains(search, autoescape=True),
        rejects.c.column.icontains(search, autoescape=True),
    ]
    if search.isdecimal() and len(search) <= 7:  # a sheet has 1,048,576 rows
        where.append(rejects.c.row == int(search))
    return or_(*where)
