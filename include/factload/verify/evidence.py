"""Where the rows of a load are that don't stand as they were published: in which partitions, and who wrote since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, Text, cast, func, literal_column, select
from sqlalchemy.engine import Connection

from factload.decimals import EXACT
from factload.fact.digest import ROW_OF_CELLS
from factload.fact.load_column import carries
from factload.fact.modes.registry import mode_named
from factload.fact.relation import relation_of
from factload.fact.staged import sums_by
from factload.ledger.conditions import of_content
from factload.ledger.partitions import partitions_of
from factload.ledger.tables import partitions
from factload.postgres.types import column_type
from factload.reconcile.counts import Staged
from factload.reconcile.weighted_checksums import PRESENT
from factload.verify.found import measures_there, retyped, summed
from factload.verify.published import PublishedLoad

_NO_ROW_NUMBERS = (
    "in which partition can't be told: no column of the table holds the rows' numbers (`provenance: row`)"
)
_ROWS_OF_CELLS = (
    "a partition is told by its rows and control totals alone: the cells of a row have one number"
)
_HALF = 2
_TRIMMING = ("0.1.", "0.2.", "0.3.", "0.4.")  # versions that weighed texts without the blanks at their end
_PARTITION = "factload_partition"
_NONE = Staged(0, {}, {})


def partitions_that_differ(connection: Connection, table: Table, load: PublishedLoad) -> tuple[str, ...]:
    """The partitions of the workbook whose rows aren't as they were staged, each with what differs; none where the
    table has no column for the number of a row. Each column is summed by that number, as the ledger has it of what was
    staged; but neither where columns have other types by now, nor where several rows have one number, as cells do."""
    of_row = _number_of_row(load)
    known = partitions_of(connection, load.load_id, load.content)
    places = {"sheet": {row.sheet for row in known}, "workbook": {row.workbook for row in known}}
    untold = [name for name, values in places.items() if len(values) > 1 and _column_of(load, name) is None]
    if of_row is None or untold or any(name not in table.c for name in load.named):
        return ()
    if any(column_type(table.c[name].type).family != family for name, family in _places(load).items()):
        return ()
    found = _by_partition(connection, table, load, of_row)
    measures = measures_there(table, load)
    weighed = not retyped(table, load) and _column_of(load, ROW_OF_CELLS) is None
    named = [
        f"{row.label}: {'; '.join(off)}"
        for row in known
        if (off := _off(row, found.get(row.partition_id, _NONE), measures, weighed=weighed))
    ]
    if None in found:
        named.append(f"(none): rows whose numbers are in no partition: {found[None].rows:,}")
    return tuple(named)


def where_it_differs(connection: Connection, table: Table, load: PublishedLoad) -> tuple[str, ...]:
    """What is known of the rows beside their partitions, in sentences."""
    told = []
    if _number_of_row(load) is None:
        told.append(_NO_ROW_NUMBERS)
    elif _column_of(load, ROW_OF_CELLS) is not None:
        told.append(_ROWS_OF_CELLS)
    relation = relation_of(connection, table)
    if relation.is_partitioned:
        told.append(f"its rows are in {_parts(connection, table, load)}")
    elif not relation.is_view and (since := _written_since(connection, table, load)):
        told.append(since)
    return tuple(told)


def _column_of(load: PublishedLoad, provenance: str) -> str | None:
    return next((column.name for column in load.columns if column.provenance == provenance), None)


def _number_of_row(load: PublishedLoad) -> str | None:
    return _column_of(load, "row") or _column_of(load, ROW_OF_CELLS)


def _places(load: PublishedLoad) -> dict[str, str]:
    """The columns that say where a row came from, each with the family of types that it needs for that."""
    return {
        column.name: "text" if column.provenance in ("sheet", "workbook") else "integer"
        for column in load.columns
        if column.provenance is not None
    }


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
        select(partitions.c.partition_id.label(_PARTITION), *(_by_name(table, load)))
        .select_from(table.outerjoin(partitions, belongs))
        .where(_of_load(table, load))
        .subquery("rows")
    )
    trimmed = load.factload_version is None or load.factload_version.startswith(_TRIMMING)
    measures = measures_there(table, load)
    return sums_by(connection, rows, _PARTITION, of_row, load.named, measures, trimmed=trimmed)


def _by_name(table: Table, load: PublishedLoad) -> Iterator[ColumnElement[Any]]:
    """The columns of the digest; a measure as it is summed."""
    measures = measures_there(table, load)
    for name in load.named:
        yield summed(table.c[name]).label(name) if name in measures else table.c[name]


def _off(row: Row[Any], found: Staged, measures: Sequence[str], *, weighed: bool) -> Sequence[str]:
    off = []
    if found.rows != (row.staged_rows or 0):
        off.append(f"{found.rows:,} of {row.staged_rows or 0:,} rows")
    off += [
        f"control total of {name} is off by {difference:f}"
        for name in measures
        if (difference := _difference(found.totals, row.totals or {}, name))
    ]
    if not off and weighed:
        off += [
            "other values are NULL" if name == PRESENT else f"values of {name} differ"
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
    """How many rows of the publication are gone, and how many others were written since, at least. One transaction
    wrote a publication's rows, and PostgreSQL keeps in each row which one wrote it; not which one was the
    publication's, so that it left as many as the one that wrote most, or fewer. An upsert's rows may be of several
    publications of the load."""
    if mode_named(load.mode).takes_over:
        return ""
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
    if not gone and not since:
        return ""
    return (
        f"of the rows as they were published at least {gone:,} are gone or were written again; of those that are "
        f"there at least {since:,} were written since"
    )
