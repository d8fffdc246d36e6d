"""``load_partition``: one partition's rows in the staging table, its rejects in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pyarrow as pa
from sqlalchemy.engine import Connection

from factload.dimension.inferred import Made, make_members
from factload.dimension.lookup import Members, open_members
from factload.dimension.table import dimension_table
from factload.fact import staged
from factload.fact.constants import constant_values, with_constants
from factload.fact.encodable import reject_unencodable
from factload.fact.members.said import replace_said
from factload.fact.resolve import ROW, control_totals, delivered_totals, resolve
from factload.feed.model import Feed
from factload.ledger import ledger, partitions
from factload.ledger.member_versions import record_versions
from factload.load import DimensionMap, Load, PartitionCounts, PartitionFile
from factload.postgres.encoding import codec_of
from factload.postgres.errors import room_for
from factload.reconcile.weighted_checksums import hashes_alike, weighted_totals
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import step
from factload.staging.files import open_table
from factload.steps.resume import digest_of, staged_before


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
            alike = hashes_alike(connection, table.columns)
        whole = open_table(partition.path, partition.sha256)
        resolved = resolve(
            reject_unencodable(whole, feed, codec),
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
            totals=control_totals(resolved.rows, feed.fact.measures),
            weighted=weighted_totals(with_constants(resolved.rows, constants), ROW, table, alike=alike),
            unknown=resolved.unknown,
            left_out=sum(partition.left_out.values()),
            delivered=delivered_totals(whole, feed),
        )
        with connection.begin():
            ledger.fence(connection, load, *ledger.UNFINISHED)
            known = partitions.lock_partition(connection, load, partition.partition_id)
            rows = f"{counts.staged:,} rows of {partition.label} into the staging table"
            with room_for(rows, resolved.rows.nbytes):
                staged.replace_slice(
                    connection,
                    table,
                    load,
                    feed,
                    partition,
                    resolved,
                    constants,
                    again=known.loaded_epoch is not None,
                )
                replace_said(
                    connection,
                    load,
                    feed,
                    staged.slice_key(partition.partition_id),
                    resolved.said,
                    again=known.loaded_epoch is not None,
                )
            ledger.fence(connection, load, *ledger.UNFINISHED, lock="share")
            partitions.record_partition(connection, load, counts, made_of)
        return counts


def _opened(feed: Feed, maps: Sequence[DimensionMap]) -> dict[str, Members]:
    """Dimension → the opened map that it uses."""
    opened = {frozen.dimension: open_members(frozen) for frozen in maps}
    return {dimension: opened[used] for dimension, used in feed.map_of.items()}


def _make_members(
    connection: Connection,
    load: Load,
    feed: Feed,
    partition: PartitionFile,
    name: str,
    keys: pa.RecordBatch,
    attributes: Mapping[str, pa.Array],
) -> pa.Array:
    """Members for keys that have none, noted with the partition that asked for them first."""

    def guard(connection: Connection, made: Made) -> None:
        ledger.fence(connection, load, *ledger.UNFINISHED, lock="share")
        partitions.record_created(connection, load, partition.partition_id, name, made.members)
        record_versions(connection, load, name, made.versions)

    dimension = feed.dimensions[name]
    with connection.begin():
        table = dimension_table(connection, name, dimension)
    return make_members(
        connection, table, dimension, keys, attributes, guard, feed.rows_per_chunk, load.period_date
    )
