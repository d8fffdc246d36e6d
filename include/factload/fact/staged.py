"""The staging table of one load: filled slice by slice, counted, dropped.

A slice is one partition's rows. They come and go in the transaction that says so in the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import FromClause, Table, delete, func, select
from sqlalchemy.engine import Connection

from factload.fact.modes.registry import mode_of
from factload.fact.resolve import ROW, Resolved
from factload.fact.staging_table import SLICE
from factload.fact.table import fact_table
from factload.feed.model import Feed
from factload.ledger.rejects import add_rejects, forget_rejects
from factload.load import Load, PartitionFile
from factload.postgres.insert import INSERTS, chunks
from factload.postgres.locks import LockTable
from factload.reconcile.counts import Staged
from factload.reconcile.weighted_checksums import hashes_alike, weighted_sums


def slice_key(partition_id: str) -> int:
    """A partition's identity as a signed 64-bit integer, for the staging table's rows."""
    return int.from_bytes(bytes.fromhex(partition_id[:16]), "big", signed=True)


def staging_of(connection: Connection, load: Load, feed: Feed) -> Table:
    """As ``staging_table``, reading the fact table's columns first."""
    return mode_of(feed.fact).staging_table(load, feed, fact_table(connection, feed))


def keep_others_out(connection: Connection, staging: Table) -> None:
    """Let nobody else change the staged rows until this transaction ends, nor publish them."""
    connection.execute(LockTable(staging, "SHARE ROW EXCLUSIVE"))


def replace_slice(
    connection: Connection,
    staging: Table,
    load: Load,
    feed: Feed,
    partition: PartitionFile,
    resolved: Resolved,
    constants: Mapping[str, Any],
    *,
    again: bool,
) -> None:
    """Insert a partition's rows and rejects by chunks, after deleting what an earlier delivery left.

    ``staging``: the load's staging table; ``resolved``: the partition's rows and rejects; ``constants``: the columns
    that are the same in every row; ``again``: the ledger knows of an earlier delivery. Deleting reads the whole table:
    done for each partition, that would grow with the square of their number. Runs in the caller's transaction.
    """
    key = slice_key(partition.partition_id)
    if again:
        connection.execute(delete(staging).where(staging.c[SLICE] == key))
    forget_rejects(connection, load, partition.partition_id)
    for chunk in chunks(resolved.rows, feed.rows_per_chunk):
        INSERTS[feed.insert](connection, staging, {SLICE: key, **constants}, chunk)
    add_rejects(connection, load, partition, resolved.rejects, feed.rows_per_chunk)


def keep_slices(connection: Connection, staging: Table, rows: Mapping[str, int]) -> set[str]:
    """Delete every slice but those that have as many rows as ``rows`` says (by partition id); returns the ids of these
    partitions that don't."""
    ids = {slice_key(partition_id): partition_id for partition_id in rows}
    query = select(staging.c[SLICE], func.count()).group_by(staging.c[SLICE])
    found = {row[0]: row[1] for row in connection.execute(query)}
    torn = {key for key, partition_id in ids.items() if found.get(key, 0) != rows[partition_id]}
    if lost := [key for key in found if key in torn or key not in ids]:
        connection.execute(delete(staging).where(staging.c[SLICE].in_(lost)))
    return {ids[key] for key in torn}


def staged_slices(
    connection: Connection, staging: Table, feed: Feed, partition_ids: Collection[str]
) -> dict[str, Staged]:
    """What the table really holds, by partition id (rows of no partition under their slice's number)."""
    ids = {slice_key(partition_id): partition_id for partition_id in partition_ids}
    found = sums_by(connection, staging, SLICE, ROW, list(feed.fact.columns), feed.fact.measures)
    return {ids.get(key, str(key)): rows for key, rows in found.items()}


def sums_by(
    connection: Connection,
    rows: FromClause,
    by: str,
    of_row: str,
    names: list[str],
    measured: Collection[str],
    *,
    trimmed: bool = False,
) -> dict[Any, Staged]:
    """What rows come to, for each value of their column ``by``. ``of_row``: the column with a row's number; ``names``:
    those that are weighted by it, texts ``trimmed`` at their end or whole; ``measured``: those that have a total."""
    totals = [func.sum(rows.c[name]) for name in measured]
    weighted = weighted_sums(rows, of_row, names, alike=hashes_alike(connection, rows.c), trimmed=trimmed)
    query = select(rows.c[by], func.count(), *totals, *weighted.values()).group_by(rows.c[by])
    found = {}
    for key, number, *sums in connection.execute(query):
        exact = [Decimal(value or 0) for value in sums]
        found[key] = Staged(
            number,
            dict(zip(measured, exact, strict=False)),
            dict(zip(weighted, exact[len(totals) :], strict=True)),
        )
    return found
