"""Rows of one load with a value that only one may have (``unique``): the first stays, the others are rejected.

They may stand in different partitions, so they are told apart where all rows are: in the staging table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import BigInteger, Integer, Row, Table, bindparam, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.engine import Connection

from factload.decimals import EXACT
from factload.fact.duplicate_cells import cells_of
from factload.fact.once_only import OnceOnly
from factload.fact.resolve import ROW
from factload.fact.row_numbers import sheet_row, sheet_rows
from factload.fact.staged import slice_key
from factload.fact.staging_table import SLICE
from factload.feed.model import Feed
from factload.ledger.conditions import of_content
from factload.ledger.rejects import add_rejects
from factload.ledger.tables import partitions
from factload.load import Load
from factload.reconcile.weighted_checksums import hashes_alike, weighted_sums
from factload.sheet.reject import reject_table


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
    totals = {name: staging.c[name] for name in feed.fact.measures}
    later = _later_rows(once, staging, _places(known))
    moved = (
        delete(staging)
        .where(staging.c[SLICE] == later.c.slice, staging.c[ROW] == later.c.row)
        .returning(*staging.c, later.c.first_place, later.c.first_row)
        .cte("moved")
    )
    rows = (
        func.array_agg(aggregate_order_by(each, moved.c[ROW]))
        for each in (moved.c[ROW], moved.c.first_place, moved.c.first_row)
    )
    sums = [func.sum(moved.c[name]) for name in totals]
    weighted = weighted_sums(moved, ROW, list(feed.fact.columns), alike=hashes_alike(connection, moved.c))
    query = select(moved.c[SLICE], *rows, *sums, *weighted.values()).group_by(moved.c[SLICE])
    of_slice = {slice_key(row.partition_id): row for row in known}
    for key, numbers, first_places, first_rows, *exact in connection.execute(query):
        partition = of_slice[key]
        duplicates = _Duplicates(numbers, [known[place] for place in first_places], first_rows)
        found = _rejects(load, feed, partition, once, duplicates)
        add_rejects(connection, load, partition, found, feed.rows_per_chunk)
        values = [Decimal(value or 0) for value in exact]
        _subtract(
            connection,
            partition,
            len(numbers),
            dict(zip(totals, values, strict=False)),
            dict(zip(weighted, values[len(totals) :], strict=True)),
        )


@dataclass(frozen=True, slots=True)
class _Duplicates:
    """Rows of one partition, and of each the partition and the row that have its values first."""

    rows: Sequence[int]
    first_partitions: Sequence[Row[Any]]
    first_rows: Sequence[int]

    def named_for(self, workbook: str, feed: Feed) -> pa.Array:
        """The places of the rows that were first, in words; with the workbook's name where it is another."""
        return pa.array(
            [
                ("" if first.workbook == workbook else f"{first.workbook} ")
                + f"{first.sheet} row {sheet_row(feed, row)}"
                for first, row in zip(self.first_partitions, self.first_rows, strict=True)
            ],
            pa.string(),
        )


def _rejects(
    load: Load, feed: Feed, partition: Row[Any], once: OnceOnly, duplicates: _Duplicates
) -> pa.Table:
    """These rows as rejects, with the cells of the first column that they are compared by."""
    rows = pa.array(duplicates.rows, pa.int32())
    cells = cells_of(load, feed, partition, once.columns, rows)
    return reject_table(
        sheet_rows(feed, rows),
        column=cells.column,
        reason=once.reason,
        letter=cells.letter,
        raw=cells.raw,
        duplicate_of=duplicates.named_for(partition.workbook, feed),
    )


def _places(known: Sequence[Row[Any]]) -> Any:
    """(slice, place) of each partition: where it stands in the order of the workbook."""
    slices = cast(bindparam(None, [slice_key(row.partition_id) for row in known]), ARRAY(BigInteger))
    places = cast(bindparam(None, list(range(len(known)))), ARRAY(Integer))
    return func.unnest(slices, places).table_valued("slice", "place").render_derived("places")


def _later_rows(once: OnceOnly, staging: Table, places: Any) -> Any:
    """(slice, row) of each row whose values an earlier row has; and place and row of the first that has them."""
    values = [staging.c[name] for name in once.columns]
    order = [places.c.place, staging.c[ROW]]
    numbered = (
        select(
            staging.c[SLICE].label("slice"),
            staging.c[ROW].label("row"),
            func.row_number().over(partition_by=values, order_by=order).label("number"),
            func.first_value(places.c.place).over(partition_by=values, order_by=order).label("first_place"),
            func.first_value(staging.c[ROW]).over(partition_by=values, order_by=order).label("first_row"),
        )
        .join(places, places.c.slice == staging.c[SLICE])
        .where(*(value.is_not(None) for value in values if not once.nulls_are_equal))
        .subquery("numbered")
    )
    columns = (numbered.c[name] for name in ("slice", "row", "first_place", "first_row"))
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
