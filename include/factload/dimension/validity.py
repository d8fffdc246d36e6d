"""When members with a history are valid, as the columns of ``as_of`` say: conditions on their table."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, Date, FromClause, Table, func, literal

from factload.feed.dimensions import Dimension


def valid_on(dimension: Dimension, versions: FromClause, day: date) -> ColumnElement[bool]:
    """Which of ``versions`` are valid at the midnight that begins ``day``; all of a dimension without a history."""
    if dimension.as_of is None:
        return literal(value=True)
    moment = literal(day, Date())
    begins, ends = versions.c[dimension.as_of.valid_from], versions.c[dimension.as_of.end]
    goes_on = moment <= ends if dimension.as_of.is_inclusive else moment < ends
    return func.coalesce(begins <= moment, True) & func.coalesce(goes_on, True)


def always(dimension: Dimension, table: Table) -> dict[str, str]:
    """What a version that is always valid has in the columns of ``as_of``; an end that has a default isn't named."""
    if dimension.as_of is None:
        return {}
    ends = table.c[dimension.as_of.end]
    open_end = {} if ends.nullable or ends.server_default is not None else {ends.name: "infinity"}
    return {dimension.as_of.valid_from: "-infinity", **open_end}
