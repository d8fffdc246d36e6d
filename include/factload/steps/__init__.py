"""The steps of a load. Each stands alone: it gets small values, finds its files and rows itself, and may run
in any process, any number of times, on any worker. ``pipeline`` says their order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from factload.corrections.partitions import in_place
from factload.dimension import extract
from factload.dimension.inferred import make_members
from factload.dimension.lookup import Members, open_members
from factload.dimension.table import check_dimensions, dimension_table
from factload.errors import FactloadError
from factload.fact import publish, staged, standing
from factload.fact.constants import constant_values, with_constants
from factload.fact.duplicates import reject_duplicates
from factload.fact.encodable import reject_unencodable
from factload.fact.resolve import ROW, control_totals, measures, resolve
from factload.fact.rights import require_rights
from factload.fact.surrogates import require_surrogates_fit
from factload.fact.table import fact_table
from factload.fact.unique import once_only, with_a_value
from factload.feed.model import Feed
from factload.ledger import ledger, migrations, partitions
from factload.ledger.corrections import Correction, read_corrections
from factload.ledger.opening import last_publication, open_attempt, require_none_of_old
from factload.load import DimensionMap, Load, PartitionCounts, PartitionFile, SourceFile, Split
from factload.postgres.database import engine_for
from factload.postgres.encoding import codec_of
from factload.postgres.errors import database_errors, room_for
from factload.postgres.locks import holders_named
from factload.reconcile import counts
from factload.reconcile.weighted_checksums import weighted_totals
from factload.runtime.measure import measured
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import record, step
from factload.split.all_workbooks import split_sources
from factload.split.fields import sheet_fields
from factload.split.remote import sweep_copies
from factload.split.sources import read_sources
from factload.staging import in_use, orphaned
from factload.staging.files import open_table
from factload.staging.folders import folder_of, remove_folders
from factload.steps.resume import digest_of, keep_what_is_whole, make_staging, staged_before

_log = logging.getLogger(__name__)


@again_after_conflict
def open_load(
    feed: Feed,
    period: date,
    *,
    database: str,
    workbook: str | None = None,
    sources: Sequence[SourceFile] = (),
    reload: bool = False,
    corrections: Sequence[Correction] = (),
) -> Load:
    """Begin an attempt at the load of ``feed`` and ``period``: everything is there, and this is the newest epoch.

    ``workbook``: instead of the feed's own; ``sources``: the workbooks themselves, when they are known already;
    ``corrections``: rows that a person corrected, which stay with the load.

    Raises ``FeedError`` (table, column or type), ``WorkbookError`` (missing, outside the roots, two
    copies of one) before anything is written. A load that is published with the same content comes back as
    ``already_published``.
    """
    engine = engine_for(database)
    with measured() as measurement:
        named = workbook or feed.workbook.for_period(period)
        sources = sources or read_sources(named)
        with (
            database_errors("opening the load"),
            engine.connect() as connection,
            holders_named(connection),
            connection.begin(),
        ):
            migrations.install(connection)
            fact = fact_table(connection, feed)
            require_surrogates_fit(connection, feed, fact, check_dimensions(connection, feed))
            require_rights(connection, feed)
            load_id = feed.load_id(period)
            load = open_attempt(connection, feed, load_id, period, named, sources, reload, corrections)
            last = last_publication(connection, load_id)
            if load.already_published:
                standing.require_intact(connection, load_id, feed, fact, last)
            else:
                standing.require_within_reach(connection, load_id, feed, fact, last)
                make_staging(connection, load, feed, fact)
    if load.already_published:
        orphaned.remove_kept(engine, load)
    else:
        remove_folders(folder_of(load).parent, below=load.epoch)
        orphaned.sweep(engine)
        sweep_copies()
        with database_errors("noting open_load in the ledger"), engine.begin() as connection:
            record(connection, load, "open_load", "", measurement)
    return load


@again_after_conflict
def extract_dimension_map(load: Load, feed: Feed, dimension: str, *, database: str) -> DimensionMap:
    """Freeze one dimension in a staging file."""
    with step(load, feed, "extract_dimension_map", dimension, database) as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        in_use.at_work(snapshot, load)
        if ledger.fence(snapshot, load, *ledger.UNFINISHED, "published") == "published":
            return DimensionMap(dimension, path="", sha256="", rows=0)  # nobody reads it any more
        return extract.extract_dimension_map(snapshot, dimension, feed.dimensions[dimension], folder_of(load))


@again_after_conflict
def split_workbook(
    load: Load, feed: Feed, *, database: str, progress: Callable[[int], None] | None = None
) -> Split:
    """Read every sheet of the load, window by window, into partition files; ``progress`` is told the rows so far.

    Complete partitions of an earlier attempt at the same content are reused.
    """
    with step(load, feed, "split_workbook", "", database) as connection:
        with connection.begin():
            in_use.at_work(connection, load)
            if ledger.fence(connection, load, *ledger.UNFINISHED, "published") == "published":
                return Split(partitions.recorded_files(connection, load), ())
            require_none_of_old(load.load_id, load.sources)
            corrections = read_corrections(connection, load.load_id, load.epoch)
            asked = with_a_value(feed, fact_table(connection, feed))
        fields, csv = sheet_fields(asked), feed.workbook.csv_dialect
        split = split_sources(
            load.sources,
            sheet=feed.workbook.sheet,
            csv=csv,
            cells=feed.workbook.cells,
            fields=fields,
            folder=folder_of(load),
            rows_per_partition=feed.rows_per_partition,
            progress=progress,
        )
        split = in_place(
            split,
            load.sources,
            corrections,
            fields=fields,
            csv=csv,
            cells=feed.workbook.cells,
            folder=folder_of(load),
        )
        with connection.begin():
            partitions.record_split(connection, load, split.partitions, split.warnings)
            keep_what_is_whole(connection, load, feed)
        return split


@again_after_conflict
def load_partition(
    load: Load, feed: Feed, partition: PartitionFile, maps: Sequence[DimensionMap], *, database: str
) -> PartitionCounts:
    """Stage one partition's rows and note its rejects, in one transaction that ends the same however often it runs.

    Nothing is done for a partition that is staged already from the same rows and the same maps.
    """
    made_of = digest_of(partition, maps)
    with step(load, feed, "load_partition", partition.label, database) as connection:
        with connection.begin():
            if done := staged_before(connection, load, feed, partition, made_of):
                return done
            table = staged.staging_of(connection, load, feed)
            constants = constant_values(table, feed, load.period_date, partition)
            codec = codec_of(connection)
        resolved = resolve(
            reject_unencodable(open_table(Path(partition.path), partition.sha256), feed, codec),
            feed,
            _opened(feed, maps),
            load.period_date,
            partial(_make_members, connection, load, feed, partition),
            table,
        )
        counts = PartitionCounts(
            partition_id=partition.partition_id,
            label=partition.label,
            source=partition.source,
            blank=partition.blank,
            rejected=resolved.rejects.num_rows,
            staged=resolved.rows.num_rows,
            totals=control_totals(resolved.rows, measures(feed)),
            weighted=weighted_totals(with_constants(resolved.rows, constants), ROW, table),
            unknown=resolved.unknown,
        )
        with connection.begin():
            ledger.fence(connection, load, *ledger.UNFINISHED)
            partitions.lock_partition(connection, load, partition.partition_id)
            rows = f"{counts.staged:,} rows of {partition.label} into the staging table"
            with room_for(rows, resolved.rows.nbytes):
                staged.replace_slice(connection, table, load, feed, partition, resolved, constants)
            ledger.fence(connection, load, *ledger.UNFINISHED, lock="share")
            partitions.record_partition(connection, load, counts, made_of)
        return counts


def _opened(feed: Feed, maps: Sequence[DimensionMap]) -> dict[str, Members]:
    """Dimension → the opened map that it uses."""
    opened = {frozen.dimension: open_members(frozen) for frozen in maps}
    return {dimension: opened[used] for dimension, used in feed.map_of.items()}


def _make_members(
    connection: Connection, load: Load, feed: Feed, partition: PartitionFile, name: str, keys: pa.RecordBatch
) -> pa.Array:
    """Members for keys that have none, noted with the partition that asked for them first."""

    def guard(connection: Connection, made: int) -> None:
        ledger.fence(connection, load, *ledger.UNFINISHED, lock="share")
        partitions.record_created(connection, load, partition.partition_id, name, made)

    dimension = feed.dimensions[name]
    with connection.begin():
        table = dimension_table(connection, name, dimension)
    return make_members(connection, table, dimension, keys, guard, feed.rows_per_chunk)


@again_after_conflict
def reconcile_load(load: Load, feed: Feed, *, database: str) -> None:
    """Prove that every source row is accounted for, or raise ``ReconciliationError`` or ``RowsRefused``."""
    with step(load, feed, "reconcile", "", database) as connection:
        with connection.begin():
            state = ledger.fence(connection, load, *ledger.UNFINISHED, "published", lock="update")
            if state == "published":
                return
            result = _reconcile(connection, load, feed)
        counts.require_agreement(load.load_id, result)
    counts.require_within_limits(load.load_id, result, feed.max_rejects, feed.min_rows)


@again_after_conflict
def release_load(load: Load, feed: Feed, *, reason: str, by: str, database: str) -> None:
    """Let a load that is held for its number of rows be published all the same, on the word of a person.

    The proof is made anew first; who, why and when stay in the ledger. It holds for this attempt alone: a changed
    workbook makes another. Raises ``FeedError`` ``not_held``, ``ReconciliationError``, or ``Superseded``.
    """
    with step(load, feed, "release", by, database) as connection, connection.begin():
        state = ledger.fence(connection, load, *ledger.UNFINISHED, "published", lock="update")
        ledger.record_release(connection, load, state, reason, by)
        if state == "held":
            counts.require_agreement(load.load_id, _reconcile(connection, load, feed))


def _reconcile(connection: Connection, load: Load, feed: Feed) -> counts.Reconciliation:
    """Count and compare, and note the outcome: counts and state, or which partitions are to be loaded again."""
    fact = fact_table(connection, feed)
    table = staged.staging_table(load, fact, list(feed.fact.columns))
    rows = partitions.loaded_partitions(connection, load)
    for once in once_only(connection, feed, fact):
        reject_duplicates(connection, load, feed, table, rows, once)
        rows = partitions.loaded_partitions(connection, load)
    counted = [partitions.counts_of(row, measures(feed)) for row in rows]
    found = staged.staged_slices(connection, table, feed, [p.partition_id for p in counted])
    result = counts.reconcile(counted, found, measures(feed))
    if result.differences:
        ledger.loading_again(connection, load)
        partitions.load_again(connection, load, result.differing)
        return result
    ledger.update_attempt(
        connection,
        load,
        rejected_rows=result.rejected,
        staged_rows=result.staged,
        source_totals={name: f"{total:f}" for name, total in result.totals.items()},
    )
    if ledger.attempt(connection, load).released_at is None:
        reasons = partitions.rejects_by_reason(connection, load)
        last = last_publication(connection, load.load_id)
        result = replace(
            result,
            too_many=feed.max_rejects.exceeded(reasons, result.source),
            too_few=feed.min_rows.missed(
                result.staged, last.rows if last else 0, replaces=feed.fact.mode.kind == "replace"
            ),
        )
    if result.publishable:
        ledger.record_reconciled(connection, load)
    return result


@again_after_conflict
def publish_load(load: Load, feed: Feed, *, database: str) -> int:
    """Make the reconciled load visible; returns the rows published. Published already: nothing is done.

    The proof is made once more, of rows that nobody else can change any more, in the transaction that publishes them.
    """
    with step(load, feed, "publish", "", database) as connection:
        with connection.begin():
            publishable = ("reconciled", "failed", "published")
            if ledger.fence(connection, load, *publishable) != "published":
                # In the order of load_partition: first the staging table, then the load.
                staged.keep_others_out(connection, staged.staging_of(connection, load, feed))
            if ledger.fence(connection, load, *publishable, lock="update") == "published":
                return int(ledger.attempt(connection, load).published_rows)
            result = _reconcile(connection, load, feed)
            rows = _publish(connection, load, feed, result) if result.publishable else 0
        counts.require_agreement(load.load_id, result)
    counts.require_within_limits(load.load_id, result, feed.max_rejects, feed.min_rows)
    return rows


def _publish(connection: Connection, load: Load, feed: Feed, result: counts.Reconciliation) -> int:
    fact = fact_table(connection, feed)
    table = staged.staging_table(load, fact, list(feed.fact.columns))
    last = last_publication(connection, load.load_id)
    published = publish.publish_rows(connection, load, feed, fact, table, last.rows if last else 0)
    rows, totals = published.content.rows, published.content.totals
    if last and last.mode == feed.fact.mode.kind == "replace" and published.replaced < last.rows:
        gone = f"{last.rows} rows had been published before, and only {published.replaced} of them were still there"
        ledger.add_warning(connection, load, gone)
    in_scale = {n: counts.EXACT.quantize(t, result.totals[n]) for n, t in totals.items()}  # equal to it
    ledger.record_published(connection, load, rows, {n: f"{t:f}" for n, t in in_scale.items()})
    return rows


@again_after_conflict
def clean_staging(load: Load, feed: Feed, *, database: str) -> None:
    """Remove what the load and its earlier attempts left in the staging schema and folder; only once published."""
    with step(load, feed, "clean_staging", "", database) as connection, connection.begin():
        ledger.fence(connection, load, "published", lock="update")
        orphaned.drop_tables(connection, load.load_id)
    remove_folders(folder_of(load).parent, below=load.epoch + 1)


def record_failure(load: Load, error: FactloadError, *, database: str) -> None:
    """Note in the ledger why an attempt ended. A database that is down hears of it by the next attempt."""
    try:
        with engine_for(database).begin() as connection:
            ledger.record_end(connection, load, error)
    except (DBAPIError, UnicodeError):
        _log.info("the end of %s could not be noted in the ledger: %s", load.load_id, error.code)
