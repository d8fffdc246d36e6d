"""What stands in the fact table, read back and compared with what was staged.

Rows are read once nothing is left that acts on them: after the statement's triggers, and after the deferred ones.
They are counted, each measure is summed, and every column that the feed fills goes into a digest: the sum of a
64-bit hash of each row. A sum depends on no order and sees every row as often as it is there; a row's hash ties its
values to each other. Hash and sum are PostgreSQL's: quick enough for every row, and no defence against somebody who
chooses values to deceive them. PostgreSQL's hash of a decimal leaves out its sign, so that goes into a row's hash
beside it (``signed``); digests that were taken before it did are compared with such as were taken alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Double,
    FromClause,
    Numeric,
    Select,
    Text,
    Uuid,
    cast,
    collate,
    func,
    literal,
    select,
    types,
)
from sqlalchemy.engine import Connection

from factload.decimals import EXACT
from factload.errors import ReconciliationError
from factload.postgres.types import column_type

_SEED = 0


@dataclass(frozen=True, slots=True)
class Content:
    """Some rows: how many, the exact sum of each measure, the digest of the columns that the feed fills."""

    rows: int
    totals: Mapping[str, Decimal]
    digest: Decimal


def content_of(
    connection: Connection,
    selection: Select[Any] | CTE,
    names: Sequence[str],
    measures: Sequence[str],
    *,
    signed: bool = True,
) -> Content:
    """The content of the rows that are selected: all their columns, which ``names`` calls by their place."""
    rows = selection if isinstance(selection, CTE) else selection.subquery("rows")
    return _content(connection.execute(_sums(rows, names, measures, signed=signed)).one(), measures)


def contents_by_first(
    connection: Connection,
    selection: Select[Any],
    names: Sequence[str],
    measures: Sequence[str],
    *,
    signed: bool = True,
) -> dict[Any, Content]:
    """Value of the first column that is selected → the content of its rows: all other columns, called ``names``."""
    rows = selection.subquery("rows")
    by, *_ = rows.c
    grouped = _sums(rows, names, measures, by, signed=signed)
    return {row[-1]: _content(row[:-1], measures) for row in connection.execute(grouped)}


def _sums(
    rows: FromClause,
    names: Sequence[str],
    measures: Sequence[str],
    by: ColumnElement[Any] | None = None,
    *,
    signed: bool,
) -> Select[Any]:
    """Count, digest and each measure's sum of ``rows``; for each value of ``by`` if it is given, which comes last."""
    kept = [column for column in rows.c if column is not by]
    columns = dict(zip(names, kept, strict=True))
    values = [columns[name].label(f"measure_{number}") for number, name in enumerate(measures)]
    key = [] if by is None else [by.label("by")]
    # OFFSET keeps the hash from being computed each time that it is used.
    hashed = select(row_hash(kept, signed=signed).label("hash"), *values, *key).offset(0).subquery("hashed")
    # PostgreSQL's hash of a row is a sum of its columns' hashes: added up, it would not see two values that have
    # changed rows. Mixed once more it does.
    mixed = func.hashint8extended(hashed.c.hash, _SEED).op("#")(hashed.c.hash)
    sums: list[ColumnElement[Any]] = [func.count(), func.sum(mixed)]
    sums += [func.sum(hashed.c[value.name]) for value in values]
    return select(*sums) if by is None else select(*sums, hashed.c.by).group_by(hashed.c.by)


def _content(row: Sequence[Any], measures: Sequence[str]) -> Content:
    count, digest, *totals = row
    # The sum over no rows is NULL, and the sum of a smallint or integer comes as an int.
    exact = [Decimal(0 if total is None else total) for total in totals]
    return Content(count, dict(zip(measures, exact, strict=True)), Decimal(digest or 0))


def row_hash(columns: Iterable[ColumnElement[Any]], *, signed: bool = True) -> ColumnElement[Any]:
    """64 bits of a row's ``columns`` together. A NULL is another value than any."""
    values = [value for column in columns for value in _hashed(column, signed=signed)]
    return func.hash_record_extended(func.row(*values), _SEED)


def _hashed(column: ColumnElement[Any], *, signed: bool) -> Iterator[ColumnElement[Any]]:
    yield _as_it_is_written(column)
    if signed and column_type(column.type).family == "numeric":
        yield column < 0


def _as_it_is_written(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A text by its bytes, also where its column's type or collation takes another spelling for the same."""
    if isinstance(column.type, types.String):
        return collate(cast(column, Text), "C")
    return column


def hash_probe(*, signed: bool = True) -> ColumnElement[str]:
    """What a server hashes a row of every kind of value to, and its encoding of texts: servers that agree in it come to
    the same digest of the same rows."""
    values = (
        cast(literal("1234567890123"), BigInteger),
        cast(literal("-1234.5678"), Numeric),
        cast(literal("0.1"), Double),
        collate(cast(literal("factload"), Text), "C"),
        cast(literal("2026-11-05"), Date),
        cast(literal("2026-11-05 10:30:00.000001"), DateTime),
        cast(literal("true"), Boolean),
        cast(literal("6c1f5b0e-0f2b-5d0c-9c0b-5d6d0f4a7e11"), Uuid(as_uuid=False)),
    )
    hashed = row_hash(values, signed=signed)
    return func.concat(hashed, " ", func.current_setting("server_encoding"))


def columns_that_differ(
    connection: Connection, names: Sequence[str], one: Select[Any], other: Select[Any]
) -> list[str]:
    """The columns that have other values in one selection than in the other, or have them more or less often."""
    found = [
        connection.execute(select(*(func.sum(row_hash([column])) for column in rows.c))).one()
        for rows in (one.subquery("rows"), other.subquery("rows"))
    ]
    return [name for name, first, second in zip(names, *found, strict=True) if first != second]


def require_same(load_id: str, staged: Content, found: Content, differing: Sequence[str]) -> None:
    """Raise ``ReconciliationError``, so that the transaction rolls back, unless what stands in the fact table is what
    was staged. ``differing``: the columns that are known to have other values."""
    if found == staged:
        return
    off = []
    if found.rows != staged.rows:
        off.append(f"{found.rows} rows of the load are in the fact table, {staged.rows} were staged")
    for name, total in staged.totals.items():
        if difference := EXACT.subtract(found.totals[name], total):
            off.append(f"control total of {name} is off by {difference}")
    off += [
        f"other values of {name} went into the fact table than were staged"
        for name in differing
        if found.totals.get(name) == staged.totals.get(name)
    ]
    raise ReconciliationError(
        "publish_differs",
        f"{load_id}: {'; '.join(off) or 'values stand in other rows of the fact table than they were staged in'}",
        remedy="Nothing was published. Look for triggers, rules or policies on the fact table that change or drop "
        "rows, keep older ones from being deleted, or change the load column",
    )
