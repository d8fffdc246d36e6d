"""The steps of a load. Each stands alone: it gets small values, finds its files and rows itself, and may run
in any process, any number of times, on any worker. ``pipeline`` says their order.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from factload import ledger, ledger_migrations, ledger_partitions, lookup, publish, reconcile
from factload.database import database_errors, engine_for, fact_table
from factload.errors import FactloadError, FeedError
from factload.feed import Feed
from factload.insert import INSERTS, ROW, SLICE, slice_key, staging_table
from factload.ledger_tables import rejects as rejects_table
from factload.load import DimensionMap, Load, PartitionCounts, content_of
from factload.measure import measured
from factload.partitions import PartitionFile, Split
from factload.partitions import split_workbook as split_sheet
from factload.resolve import Resolved, control_totals, measures, resolve
from factload.settings import workbook_path
from factload.sheet.columns import SheetField
from factload.sql_types import SqlType
from factload.staging import open_table, sha256_of

_log = logging.getLogger(__name__)


def open_load(
    feed: Feed, period: date, *, database: str, workbook: str | None = None, reload: bool = False
) -> Load:
    """Begin an attempt at the load of ``feed`` and ``period``: everything is there, and this is the newest epoch.

    Raises ``FeedError`` (table, column or type), ``WorkbookError`` (missing, outside the roots) before anything
    is read or written. A load that is published with the same content comes back as ``already_published``.
    """
    engine = engine_for(database)
    with measured() as measurement, database_errors("opening the load"), engine.begin() as connection:
        ledger.bound_waits(connection)
        ledger_migrations.install(connection)
        fact = fact_table(connection, feed)
        for name, dimension in feed.dimensions.items():
            lookup.dimension_table(connection, name, dimension)
        path = workbook_path(workbook or feed.workbook.for_period(period))
        load = ledger.open_attempt(
            connection,
            feed,
            feed.load_id(period),
            period,
            str(path),
            sha256_of(path),
            path.stat().st_size,
            reload,
        )
        if not load.already_published:
            staging_table(load, fact, list(feed.fact.columns)).create(connection, checkfirst=True)
    if not load.already_published:
        _record(engine, load, "open_load", "", measurement)
    return load


def extract_dimension_map(load: Load, feed: Feed, dimension: str, *, database: str) -> DimensionMap:
    """Freeze one dimension in a staging file."""
    with _step(load, feed, "extract_dimension_map", dimension, database) as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        return lookup.extract_dimension_map(snapshot, dimension, feed.dimensions[dimension], load.folder)


def split_workbook(
    load: Load, feed: Feed, *, database: str, progress: Callable[[int], None] | None = None
) -> Split:
    """Read the sheet, window by window, into partition files; ``progress`` is told the rows done so far."""
    with _step(load, feed, "split_workbook", "", database) as connection:
        split = split_sheet(
            workbook_path(load.workbook),
            sheet=feed.workbook.sheet,
            fields=sheet_fields(feed),
            workbook_sha256=load.workbook_sha256,
            folder=load.folder,
            rows_per_partition=feed.rows_per_partition,
            progress=progress,
        )
        with connection.begin():
            ledger.bound_waits(connection)
            ledger_partitions.record_split(connection, load, split.partitions, split.warnings)
        return split


def sheet_fields(feed: Feed) -> list[SheetField]:
    """What is read of the sheet: a field for each column of the fact table, of the same name."""
    return [
        SheetField(
            name=name,
            column=feed.header_of(name),
            role="value" if source.dimension is None else "key",
            type=source.type or SqlType("text"),
            required=source.required or source.dimension is not None,
        )
        for name, source in feed.fact.columns.items()
    ]


def load_partition(
    load: Load, feed: Feed, partition: PartitionFile, maps: Sequence[DimensionMap], *, database: str
) -> PartitionCounts:
    """Stage one partition's rows and note its rejects, in one transaction that ends the same however often it runs."""
    with _step(load, feed, "load_partition", partition.label, database) as connection:
        resolved = resolve(
            open_table(Path(partition.path), partition.sha256),
            feed,
            {m.dimension: open_table(Path(m.path), m.sha256) for m in maps},
        )
        counts = PartitionCounts(
            partition_id=partition.partition_id,
            label=partition.label,
            source=partition.source,
            blank=partition.blank,
            rejected=resolved.rejects.num_rows,
            staged=resolved.rows.num_rows,
            totals=control_totals(resolved.rows, measures(feed)),
        )
        with connection.begin():
            ledger.bound_waits(connection)
            ledger.fence(connection, load, *ledger.UNFINISHED)
            ledger_partitions.lock_partition(connection, load, partition.partition_id)
            _replace_slice(connection, load, feed, partition, resolved)
            ledger.fence(connection, load, *ledger.UNFINISHED, lock="share")
            ledger_partitions.record_partition(connection, load, counts, _digest(maps))
        return counts


def _replace_slice(
    connection: Connection, load: Load, feed: Feed, partition: PartitionFile, resolved: Resolved
) -> None:
    """Delete what an earlier delivery of this partition left, then insert its rows and rejects by chunks."""
    staging = staging_table(load, fact_table(connection, feed), list(feed.fact.columns))
    key = slice_key(partition.partition_id)
    connection.execute(delete(staging).where(staging.c[SLICE] == key))
    connection.execute(
        delete(rejects_table).where(
            rejects_table.c.load_id == load.load_id,
            rejects_table.c.content == load.content,
            rejects_table.c.partition_id == partition.partition_id,
        )
    )
    rows = resolved.rows.rename_columns([ROW, *feed.fact.columns])
    for chunk in _chunks(rows, feed.rows_per_chunk):
        INSERTS[feed.insert](connection, staging, {SLICE: key}, chunk)
    origin = {
        "load_id": load.load_id,
        "content": load.content,
        "partition_id": partition.partition_id,
        "sheet": partition.sheet,
    }
    for chunk in _chunks(resolved.rejects, feed.rows_per_chunk):
        INSERTS["core"](connection, rejects_table, origin, chunk)


def _chunks(rows: pa.Table, size: int) -> Iterator[pa.Table]:
    return (rows.slice(start, size) for start in range(0, rows.num_rows, size))


def reconcile_load(load: Load, feed: Feed, *, database: str) -> None:
    """Prove that every source row is accounted for, or raise ``ReconciliationError`` or ``RowsRefused``."""
    with _step(load, feed, "reconcile", "", database) as connection, connection.begin():
        ledger.bound_waits(connection)
        ledger.fence(connection, load, *ledger.UNFINISHED, lock="update")
        counted = [
            PartitionCounts(
                row.partition_id,
                row.label,
                row.source_rows,
                row.blank_rows,
                row.rejected_rows or 0,
                row.staged_rows or 0,
                row.totals or dict.fromkeys(measures(feed), "0"),
            )
            for row in ledger_partitions.loaded_partitions(connection, load)
        ]
        staged = _staged(connection, load, feed, [p.partition_id for p in counted])
        result = reconcile.reconcile(counted, staged, measures(feed))
        reconcile.require_agreement(load.load_id, result)
        ledger.update_attempt(
            connection,
            load,
            rejected_rows=result.rejected,
            staged_rows=result.staged,
            source_totals={name: f"{total:f}" for name, total in result.totals.items()},
        )
        if not feed.max_rejects.exceeded(result.rejected, result.source):
            ledger.record_reconciled(connection, load)
    reconcile.require_few_rejects(load.load_id, result, feed.max_rejects)


def _staged(
    connection: Connection, load: Load, feed: Feed, partition_ids: list[str]
) -> dict[str, reconcile.Staged]:
    """What the staging table really holds, by partition id (rows of no partition under their slice's number)."""
    names = measures(feed)
    staging = staging_table(load, fact_table(connection, feed), list(feed.fact.columns))
    sums = [func.sum(staging.c[name]) for name in names]
    ids = {slice_key(partition_id): partition_id for partition_id in partition_ids}
    return {
        ids.get(row[0], str(row[0])): reconcile.Staged(
            row[1], {name: Decimal(row[2 + i] or 0) for i, name in enumerate(names)}
        )
        for row in connection.execute(
            select(staging.c[SLICE], func.count(), *sums).group_by(staging.c[SLICE])
        )
    }


def publish_load(load: Load, feed: Feed, *, database: str) -> int:
    """Make the reconciled load visible; returns the rows published. Published already: nothing is done."""
    with _step(load, feed, "publish", "", database) as connection, connection.begin():
        ledger.bound_waits(connection)
        state = ledger.fence(connection, load, "reconciled", "published", lock="update")
        attempt = ledger.attempt(connection, load)
        if state == "published":
            return int(attempt.published_rows)
        fact = fact_table(connection, feed)
        columns = list(feed.fact.columns)
        rows, totals = publish.replace_rows(
            connection,
            load,
            fact,
            staging_table(load, fact, columns),
            columns,
            feed.fact.load_column,
            measures(feed),
        )
        publish.require_all_published(load.load_id, attempt.staged_rows, rows, attempt.source_totals, totals)
        ledger.record_published(connection, load, rows, {n: f"{t:f}" for n, t in totals.items()})
        return rows


def clean_staging(load: Load, feed: Feed, *, database: str) -> None:
    """Remove what the load and its earlier contents left in the staging schema and folder; only once published."""
    with _step(load, feed, "clean_staging", "", database) as connection, connection.begin():
        ledger.bound_waits(connection)
        ledger.fence(connection, load, "published", lock="update")
        ledger.drop_staging(connection, load)
    shutil.rmtree(load.folder.parent, ignore_errors=True)


@contextmanager
def _step(load: Load, feed: Feed, step: str, item: str, database: str) -> Iterator[Connection]:
    """A connection for one step; its time and peak memory go into the ledger when it has ended well."""
    if content_of(load.workbook_sha256, feed.fingerprint) != load.content:
        raise FeedError(
            "feed_changed",
            f"the feed file of {load.feed} changed since this load was opened",
            remedy="Run the load again from open_load",
        )
    engine = engine_for(database)
    doing = f"working on {step} of {load.load_id}"
    with measured() as measurement, database_errors(doing), engine.connect() as connection:
        yield connection
    _record(engine, load, step, item, measurement)


def _record(engine: Engine, load: Load, step: str, item: str, measurement: Any) -> None:
    with database_errors(f"noting {step} in the ledger"), engine.begin() as connection:
        ledger.record_step(
            connection,
            load,
            step,
            item,
            measurement.started,
            measurement.finished,
            measurement.peak_rss_mb,
        )


def _digest(maps: Sequence[DimensionMap]) -> str:
    joined = " ".join(sorted(f"{m.dimension}={m.sha256}" for m in maps))
    return hashlib.sha256(joined.encode()).hexdigest()


def record_failure(load: Load, error: FactloadError, *, database: str) -> None:
    """Note in the ledger why an attempt ended. A database that is down hears of it by the next attempt."""
    try:
        with engine_for(database).begin() as connection:
            ledger.bound_waits(connection)
            ledger.record_end(connection, load, error)
    except DBAPIError:
        _log.warning("the end of %s could not be noted in the ledger: %s", load.load_id, error.code)
