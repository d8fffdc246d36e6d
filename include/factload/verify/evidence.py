"""Where the rows of a load are that don't stand as they were published: in which partitions, and who wrote since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, Text, cast, func, literal_column, select
from sqlalchemy.engine import Connection

from factload.fact.load_column import carries
from factload.fact.relation import relation_of
from factload.fact.staged import sums_by
from factload.ledger.conditions import of_content
from factload.ledger.partitions import partitions_of
from factload.ledger.tables import partitions
from factload.reconcile.counts import EXACT, Staged
from factload.verify.published import PublishedLoad

_NO_ROW_NUMBERS = (
    "in which partition can't be told: no column of the table holds the rows' numbers (`provenance: row`)"
)
_HALF = 2
_PARTITION = "factload_partition"
_NONE = Staged(0, {}, {})


def partitions_that_differ(connection: Connection, table: Table, load: PublishedLoad) -> tuple[str, ...]:
    """The partitions of the workbook whose rows aren't as they were staged, each with what differs; none where the
    table has no column for the number of a row. Each column is summed by that number, as the ledger has it of what was
    staged."""
    of_row = _column_of(load, "row")
    known = partitions_of(connection, load.load_id, load.content)
    places = {"sheet": {row.sheet for row in known}, "workbook": {row.workbook for row in known}}
    untold = [name for name, values in places.items() if len(values) > 1 and _column_of(load, name) is None]
    if of_row is None or untold or any(name not in table.c for name in load.named):
        return ()
    found = _by_partition(connection, table, load, of_row)
    named = [
        f"{row.label}: {'; '.join(off)}"
        for row in known
        if (off := _off(row, found.get(row.partition_id, _NONE), load))
    ]
    if None in found:
        named.append(f"{found[None].rows:,} rows have numbers that are in no partition")
    return tuple(named)


def where_it_differs(connection: Connection, table: Table, load: PublishedLoad) -> tuple[str, ...]:
    """What is known of the rows beside their partitions, in sentences."""
    told = []
    if _column_of(load, "row") is None:
        told.append(_NO_ROW_NUMBERS)
    relation = relation_of(connection, table)
    if relation.is_partitioned:
        told.append(f"its rows are in {_parts(connection, table, load)}")
    elif not relation.is_view and (since := _written_since(connection, table, load)):
        told.append(since)
    return tuple(told)


def _column_of(load: PublishedLoad, provenance: str) -> str | None:
    return next((column.name for column in load.columns if column.provenance == provenance), None)


def _of_load(table: Table, load: PublishedLoad) -> ColumnElement[bool]:
    return carries(table, load.load_column, load.load_id)


def _by_partition(
    connection: Connection, table: Table, load: PublishedLoad, of_row: str
) -> dict[str | None, Staged]:
    """Partition id → what the fact rows that came from it come to; None for those from no partition."""
    belongs = of_content(partitions, load.load_id, load.content) & table.c[of_row].between(
        partitions.c.first_row, partitions.c.last_row
    )
    for provenance in ("sheet", "workbook"):
        if name := _column_of(load, provenance):
            belongs &= table.c[name] == partitions.c[provenance]
    rows = (
        select(partitions.c.partition_id.label(_PARTITION), *(table.c[name] for name in load.named))
        .select_from(table.outerjoin(partitions, belongs))
        .where(_of_load(table, load))
        .subquery("rows")
    )
    return sums_by(connection, rows, _PARTITION, of_row, load.named, load.totals)


def _off(row: Row[Any], found: Staged, load: PublishedLoad) -> Sequence[str]:
    off = []
    if found.rows != (row.staged_rows or 0):
        off.append(f"{found.rows:,} of {row.staged_rows or 0:,} rows")
    off += [
        f"control total of {name} is off by {difference:f}"
        for name in load.totals
        if (difference := _difference(found.totals, row.totals or {}, name))
    ]
    if not off:
        off += [
            f"values of {name} differ"
            for name in row.weighted or {}
            if _difference(found.weighted, row.weighted, name)
        ]
    return off


def _difference(found: Mapping[str, Decimal], kept: Mapping[str, str], name: str) -> Decimal:
    return EXACT.subtract(found.get(name, Decimal(0)), Decimal(kept.get(name, 0)))


def _parts(connection: Connection, table: Table, load: PublishedLoad) -> str:
    """The partitions of the fact table that hold the load's rows."""
    part = cast(literal_column("tableoid").op("::")(literal_column("regclass")), Text)
    query = select(part.label("part"), func.count()).select_from(table).where(_of_load(table, load))
    found = [
        f"{name} ({rows:,})" for name, rows in connection.execute(query.group_by("part").order_by("part"))
    ]
    return ", ".join(found) or "no partition of the table"


def _written_since(connection: Connection, table: Table, load: PublishedLoad) -> str:
    """How many rows of the publication are gone, and how many others were written since. One transaction wrote a
    publication's rows, and PostgreSQL keeps in each row which one wrote it."""
    writer = cast(literal_column("xmin"), Text)
    query = (
        select(writer.label("writer"), func.count().label("rows"))
        .select_from(table)
        .where(_of_load(table, load))
    )
    found = list(connection.execute(query.group_by("writer").order_by(func.count().desc())))
    if not found or found[0].rows * _HALF <= load.rows:
        return ""
    kept, since = found[0].rows, sum(row.rows for row in found[1:])
    if kept > load.rows:
        return ""
    gone = load.rows - kept
    return (
        f"of the rows as they were published {gone:,} are gone or changed, and {since:,} were written since"
    )
