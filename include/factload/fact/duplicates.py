"""Rows of one load with a value that only one may have (``unique``): the first stays, the others are rejected.

They may stand in different partitions, so they are told apart where all rows are: in the staging table.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from factload.fact.duplicate_cells import note_cells
from factload.fact.resolve import ROW, measures
from factload.fact.staged import slice_key
from factload.fact.staging_table import SLICE
from factload.fact.unique_indexes import OnceOnly
from factload.feed.model import Feed
from factload.ledger.conditions import of_content
from factload.ledger.tables import partitions
from factload.ledger.tables import rejects as rejects_table
from factload.load import Load
from factload.reconcile.counts import EXACT
from factload.reconcile.weighted_checksums import weighted_sums


def reject_duplicates(
    connection: Connection,
    load: Load,
    feed: Feed,
    staging: Table,
    known: Sequence[Row[Any]],
    once: OnceOnly,
) -> None:
    """Move every staged row whose values an earlier row of the load has to the rejects, and count it there.

    ``known``: the ledger rows of the load's partitions, in the order of the workbook. What moves is subtracted
    from what the ledger says of its partition, so the reconciliation proves the rest.
    """
    keys, reason = once.columns, once.reason
    totals = {name: staging.c[name] for name in measures(feed)}
    places = _places(known)
    later = _later_rows(once, staging, places)
    moved = (
        delete(staging)
        .where(staging.c[SLICE] == later.c.slice, staging.c[ROW] == later.c.row)
        .returning(*staging.c, later.c.first_slice, later.c.first_row)
        .cte("moved")
    )
    own, first = _of_slice(load, places, "own"), _of_slice(load, places, "first")
    column = ", ".join(headers_of(feed, keys))
    noted = (
        insert(rejects_table)
        .from_select(
            [
                "load_id",
                "content",
                "partition_id",
                "workbook",
                "sheet",
                "row",
                "column",
                "reason",
                "duplicate_of",
            ],
            select(
                literal(load.load_id),
                literal(load.content),
                own.c.partition_id,
                own.c.workbook,
                own.c.sheet,
                moved.c[ROW],
                literal(column),
                literal(reason),
                _named(first, moved.c.first_row, own.c.workbook),
            )
            .join(own, own.c.slice == moved.c[SLICE])
            .join(first, first.c.slice == moved.c.first_slice),
        )
        .cte("noted")
    )
    weighted = weighted_sums(moved, ROW, list(feed.fact.columns))
    sums = [func.sum(moved.c[name]) for name in totals]
    query = (
        select(moved.c[SLICE], func.count(), *sums, *weighted.values())
        .group_by(moved.c[SLICE])
        .add_cte(noted)
    )
    of_slice = {slice_key(row.partition_id): row for row in known}
    for key, count, *exact in connection.execute(query).all():
        note_cells(connection, load, feed, of_slice[key].partition_id, keys, reason)
        values = [Decimal(value or 0) for value in exact]
        _subtract(
            connection,
            of_slice[key],
            count,
            dict(zip(totals, values, strict=False)),
            dict(zip(weighted, values[len(totals) :], strict=True)),
        )


def headers_of(feed: Feed, keys: Sequence[str]) -> list[str]:
    """The sheet's columns that the key comes from."""
    found: list[str] = []
    for key in keys:
        source = feed.fact.columns[key]
        if source.dimension is not None:
            found += feed.dimensions[source.dimension].column
        else:
            found.append(source.column or key)
    return found


def _places(known: Sequence[Row[Any]]) -> Any:
    """(slice, partition_id, place) of each partition: where it stands in the order of the workbook."""
    slices = cast(bindparam(None, [slice_key(row.partition_id) for row in known]), ARRAY(BigInteger))
    ids = cast(bindparam(None, [row.partition_id for row in known]), ARRAY(Text))
    places = cast(bindparam(None, list(range(len(known)))), ARRAY(Integer))
    return (
        func.unnest(slices, ids, places)
        .table_valued("slice", "partition_id", "place")
        .render_derived("places")
    )


def _of_slice(load: Load, places: Any, name: str) -> Any:
    """(slice, partition_id, workbook, sheet) of each partition."""
    return (
        select(places.c.slice, partitions.c.partition_id, partitions.c.workbook, partitions.c.sheet)
        .join(partitions, partitions.c.partition_id == places.c.partition_id)
        .where(of_content(partitions, load.load_id, load.content))
        .subquery(name)
    )


def _named(first: Any, row: Any, workbook: Any) -> Any:
    """The place of the row that was first, in words; its workbook's name only where it is another."""
    other = case((first.c.workbook == workbook, ""), else_=func.concat(first.c.workbook, " "))
    return func.concat(other, first.c.sheet, " row ", row)


def _later_rows(once: OnceOnly, staging: Table, places: Any) -> Any:
    """(slice, row) of each row whose values an earlier row has; and the first row that has them."""
    values = [staging.c[name] for name in once.columns]
    order = [places.c.place, staging.c[ROW]]
    numbered = (
        select(
            staging.c[SLICE].label("slice"),
            staging.c[ROW].label("row"),
            func.row_number().over(partition_by=values, order_by=order).label("number"),
            func.first_value(staging.c[SLICE]).over(partition_by=values, order_by=order).label("first_slice"),
            func.first_value(staging.c[ROW]).over(partition_by=values, order_by=order).label("first_row"),
        )
        .join(places, places.c.slice == staging.c[SLICE])
        .where(*(value.is_not(None) for value in values if not once.nulls_are_equal))
        .subquery("numbered")
    )
    columns = (numbered.c[name] for name in ("slice", "row", "first_slice", "first_row"))
    return select(*columns).where(numbered.c.number > 1).subquery("later")


def _subtract(
    connection: Connection,
    row: Row[Any],
    count: int,
    totals: dict[str, Decimal],
    weighted: dict[str, Decimal],
) -> None:
    connection.execute(
        update(partitions)
        .where(
            of_content(partitions, row.load_id, row.content),
            partitions.c.partition_id == row.partition_id,
        )
        .values(
            rejected_rows=partitions.c.rejected_rows + count,
            staged_rows=partitions.c.staged_rows - count,
            totals=_less(row.totals, totals),
            weighted=_less(row.weighted, weighted),
        )
    )


def _less(before: dict[str, str], moved: dict[str, Decimal]) -> dict[str, str]:
    return {name: f"{EXACT.subtract(Decimal(total), moved[name]):f}" for name, total in before.items()}
