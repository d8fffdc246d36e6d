"""Staged rows compared with what stands, in one transaction that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, Text, cast, exists, func, select
from sqlalchemy.engine import Connection

from factload.diff.cells import Origin
from factload.diff.difference import Change, Difference, Vanishing
from factload.diff.rows import DifferingRows
from factload.diff.sides import Sides, sides_of
from factload.diff.staged import Staged
from factload.fact.modes.registry import mode_of
from factload.fact.row_numbers import sheet_row
from factload.fact.table import fact_table
from factload.feed.model import Feed
from factload.postgres.tables import reflect

_LARGEST = 10
_MEMBERS_NAMED = 10


def compare(connection: Connection, feed: Feed, staged: Staged) -> Difference:
    """What publishing these rows would change, in the caller's transaction."""
    sides = sides_of(feed, staged.load_id, fact_table(connection, feed), staged.table)
    before, totals_before = _totals(connection, sides, staged=False)
    after, totals_after = _totals(connection, sides, staged=True)
    rows = DifferingRows(connection, sides)
    by_kind = select(rows.pairs.c.kind, func.count()).group_by(rows.pairs.c.kind)
    counted = {row[0]: row[1] for row in connection.execute(by_kind)}
    found = Difference(
        load_id=staged.load_id,
        feed=feed.feed,
        period=staged.period,
        state=staged.state,
        workbooks=staged.workbooks,
        table=feed.fact.table,
        key=sides.key,
        before=before,
        after=after,
        added=counted.get("added", 0),
        removed=counted.get("removed", 0),
        changed=counted.get("changed", 0),
        totals={name: (f"{totals_before[name]:f}", f"{totals_after[name]:f}") for name in sides.measures},
        largest=tuple(_largest(connection, staged, rows, sides, totals_before, totals_after)),
        vanishing=dict(_vanishing(connection, rows, sides)),
        held=staged.held,
        notes=tuple(_notes(sides)),
    )
    rows.drop()
    return found


def _totals(connection: Connection, sides: Sides, *, staged: bool) -> tuple[int, dict[str, Decimal]]:
    """How many rows a side has, and each measure's sum."""
    table = sides.staging if staged else sides.fact
    sums = [func.sum(table.c[name]) for name in sides.measures]
    side = sides.staged if staged else sides.standing
    number, *totals = connection.execute(side(func.count(), *sums)).one()
    exact = [Decimal(0 if total is None else total) for total in totals]
    return number, dict(zip(sides.measures, exact, strict=True))


def _largest(
    connection: Connection,
    staged: Staged,
    rows: DifferingRows,
    sides: Sides,
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
) -> Iterator[Change]:
    """The changes that weigh most: by the share of a measure's total that they change, the largest of all measures."""
    pairs = rows.pairs
    weights: list[ColumnElement[Any]] = [
        func.abs(pairs.c[f"delta_{n}"]) / _whole(before[name], after[name])
        for n, name in enumerate(sides.measures)
    ]
    weight = [func.greatest(*weights).desc()] if weights else []
    query = select(pairs).order_by(*weight, pairs.c.slice, pairs.c.number).limit(_LARGEST)
    found = list(connection.execute(query))
    named = _business_keys(connection, sides, found)
    origin = staged.origins({row.slice for row in found})
    for row in found:
        yield _change(row, sides, named, origin.get(row.slice))


def _whole(before: Decimal, after: Decimal) -> Decimal:
    """The total that a measure's changes are shares of; somebody may have put NaN into the table, or infinity."""
    return max((abs(total) for total in (before, after) if total.is_finite()), default=Decimal(0)) or Decimal(
        1
    )


def _change(
    row: Row[Any], sides: Sides, named: Mapping[str, Mapping[Any, str]], origin: Origin | None
) -> Change:
    values = row._mapping
    old = {name: _text(values[f"old_{n}"], named.get(name)) for n, name in enumerate(sides.compared)}
    new = {name: _text(values[f"new_{n}"], named.get(name)) for n, name in enumerate(sides.compared)}
    here = old if row.kind == "removed" else new
    off = {name: (old[name], new[name]) for name in sides.compared if old[name] != new[name]}
    place = None if row.number is None else sheet_row(sides.feed, row.number)
    cells = {} if origin is None or place is None else origin.cells(row.number, place)
    return Change(
        kind=row.kind,
        key={name: here[name] for name in sides.key},
        values={name: both for name, both in off.items() if name not in sides.key},
        workbook=origin.workbook if origin else None,
        sheet=origin.sheet if origin else None,
        row=place,
        cells={name: cell for name, cell in cells.items() if name in off or name in sides.key},
    )


def _text(value: Any, named: Mapping[Any, str] | None) -> str | None:
    if value is None:
        return None
    if named is not None and value in named:
        return named[value]
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _business_keys(
    connection: Connection, sides: Sides, rows: Sequence[Row[Any]]
) -> dict[str, dict[Any, str]]:
    """Dimension's column → surrogate key → business key, of these rows."""
    found = {}
    for n, name in enumerate(sides.compared):
        if sides.feed.fact.columns[name].dimension is not None:
            values = {row._mapping[f"{side}_{n}"] for row in rows for side in ("old", "new")} - {None}
            found[name] = _keys_of(connection, sides, name, sorted(values, key=str))
    return found


def _keys_of(connection: Connection, sides: Sides, column: str, surrogates: Sequence[Any]) -> dict[Any, str]:
    dimension = sides.feed.dimensions[sides.feed.fact.columns[column].dimension or ""]
    table = reflect(connection, dimension.table, {})
    surrogate = table.c[dimension.surrogate_key]
    query = select(surrogate, *(cast(table.c[part], Text) for part in dimension.business_key))
    return {
        row[0]: ", ".join("" if part is None else part for part in row[1:])
        for row in connection.execute(query.where(surrogate.in_(surrogates)))
    }


def _vanishing(connection: Connection, rows: DifferingRows, sides: Sides) -> Iterator[tuple[str, Vanishing]]:
    """Members that fact rows have and no staged row does. Only rows that differ can have such."""
    if mode_of(sides.feed.fact).takes_over:  # all other rows of the table stay as they are
        return
    for n, name in enumerate(sides.compared):
        if sides.feed.fact.columns[name].dimension is None:
            continue
        gone = _gone(rows.standing, sides, n, name)
        number = connection.scalar(select(func.count()).select_from(gone)) or 0
        if number:
            first = connection.scalars(
                select(gone.c.member).order_by(gone.c.member).limit(_MEMBERS_NAMED)
            ).all()
            keys = _keys_of(connection, sides, name, first)
            yield name, Vanishing(number, tuple(keys.get(member, str(member)) for member in first))


def _gone(standing: Table, sides: Sides, n: int, name: str) -> Any:
    member = standing.c[f"column_{n}"]
    still = exists().where(sides.staging.c[name] == member)
    return select(member.label("member")).where(member.is_not(None), ~still).distinct().subquery("gone")


def _notes(sides: Sides) -> Iterator[str]:
    left_out = [name for name, source in sides.feed.fact.columns.items() if source.provenance is not None]
    if left_out:
        yield f"not compared: {', '.join(left_out)}, which say where in the workbook a row stood"
    if mode_of(sides.feed.fact).takes_over:
        yield "rows whose key is not in the workbook stay as they are, whatever load wrote them"
    elif not mode_of(sides.feed.fact).replaces:
        yield "rows are added beside all others: this mode takes none away"
    if not sides.key:
        yield "no column says which row is which, so a changed row is one that is removed and one that is added"
