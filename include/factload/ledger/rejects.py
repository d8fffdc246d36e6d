"""The rejected rows of a load in the ledger: written, counted, read. ``sheet.reject`` says what a reject is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Row, delete, func, select
from sqlalchemy.engine import Connection

from factload.ledger.conditions import NEWEST_ATTEMPT, of_content, of_partition
from factload.ledger.tables import attempts, loads, rejects
from factload.load import Load, PartitionFile
from factload.postgres.encoding import storable_column
from factload.postgres.insert import chunks, insert_core
from factload.sheet.reject import FIELDS, Reject

# The columns of a reject, in the order of its fields.
OF_A_REJECT = tuple(rejects.c[name] for name in FIELDS)
_PAGE = 5_000


def add_rejects(
    connection: Connection,
    load: Load,
    partition: PartitionFile | Row[Any],
    found: pa.Table,
    rows_per_chunk: int,
) -> None:
    """Keep these rejects of a partition (``REJECT_SCHEMA``), beside those that are kept already.

    ``partition``: its file, or its row in the ledger.
    """
    origin = {
        "load_id": load.load_id,
        "content": load.content,
        "partition_id": partition.partition_id,
        "workbook": partition.workbook,
        "sheet": partition.sheet,
    }
    held = found.schema.get_field_index("raw")
    found = found.set_column(held, "raw", storable_column(connection, found["raw"]))
    for chunk in chunks(found, rows_per_chunk):
        insert_core(connection, rejects, origin, chunk)


def forget_rejects(connection: Connection, load: Load, partition_id: str) -> None:
    """Delete what is kept of a partition's rejects."""
    connection.execute(delete(rejects).where(of_partition(rejects, load, partition_id)))


def of_newest_attempt(load_id: str) -> ColumnElement[bool]:
    """Which rejects are those of the load's newest attempt."""
    newest = (
        select(attempts.c.content)
        .join(loads, NEWEST_ATTEMPT)
        .where(loads.c.load_id == load_id)
        .scalar_subquery()
    )
    return of_content(rejects, load_id, newest)


def rejects_by_reason(connection: Connection, load_id: str) -> dict[str, int]:
    """Reason code → rejected rows of the load's newest attempt, most frequent first."""
    query = (
        select(rejects.c.reason, func.count())
        .where(of_newest_attempt(load_id))
        .group_by(rejects.c.reason)
        .order_by(func.count().desc(), rejects.c.reason)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def read_rejects(connection: Connection, load_id: str) -> Iterator[Reject]:
    """The rejects of a load's newest attempt, in the order of workbooks, sheets and rows, a page at a time."""
    query = (
        select(*OF_A_REJECT)
        .where(of_newest_attempt(load_id))
        .order_by(rejects.c.workbook, rejects.c.sheet, rejects.c.row)
        .execution_options(yield_per=_PAGE)
    )
    for row in connection.execute(query):
        yield Reject(*row)
