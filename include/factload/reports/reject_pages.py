"""The rejects of a load's newest attempt, a page at a time: the database filters, orders and cuts.

Pages follow each other by the last row's place in the workbook (keyset), not by an offset: the thousandth page costs
what the first does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.engine import Connection

from factload.ledger.rejects import OF_A_REJECT, of_newest_attempt
from factload.ledger.tables import rejects
from factload.sheet.reject import Reject

# Where a page ended: workbook, sheet, Excel row.
Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class RejectPage:
    """Some rejected rows in the workbook's order; ``next`` is where the following page begins, if there is one."""

    rows: list[Reject]
    next: Place | None


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
    query = select(*OF_A_REJECT).where(of_newest_attempt(load_id)).order_by(*place)
    if reason:
        query = query.where(rejects.c.reason == reason)
    if search:
        query = query.where(_found(search))
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*after))
    found = [Reject(*row) for row in connection.execute(query.limit(limit + 1))]
    if len(found) <= limit:
        return RejectPage(found, None)
    last = _place(found[limit - 1])
    if last == _place(found[limit]):  # where columns become rows, a page ends with all rejects of a row
        of_last = connection.execute(query.where(tuple_(*place) == tuple_(*last)))
        return RejectPage(
            [*(r for r in found if _place(r) != last), *(Reject(*row) for row in of_last)], last
        )
    return RejectPage(found[:limit], last)


def _place(reject: Reject) -> Place:
    return reject.workbook, reject.sheet, reject.row


def _found(search: str) -> ColumnElement[bool]:
    where: list[Any] = [
        rejects.c.raw.icontains(search, autoescape=True),
        rejects.c.column.icontains(search, autoescape=True),
    ]
    if search.isdecimal() and len(search) <= 7:  # a sheet has 1,048,576 rows
        where.append(rejects.c.row == int(search))
    return or_(*where)
