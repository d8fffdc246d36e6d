"""Resuming: what an earlier attempt at the same content staged, and which of its partitions are complete."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from factload.fact import staged
from factload.fact.members.said import make_said_table
from factload.fact.modes.registry import mode_of
from factload.fact.table import fact_table
from factload.feed.model import Feed
from factload.ledger import ledger, partitions
from factload.load import DimensionMap, Load, PartitionCounts, PartitionFile
from factload.staging import in_use
from factload.version import __version__


def make_staging(connection: Connection, load: Load, feed: Feed, fact: Table) -> Table:
    """The staging table of this content, made unless it is there; in a new one nothing is staged yet."""
    mode = mode_of(feed.fact)
    table = mode.staging_table(load, feed, fact)
    made = mode.make_staging(connection, load, feed, fact, table)
    if make_said_table(connection, load, feed) or made:
        known = partitions.loaded_partitions(connection, load)
        partitions.load_again(connection, load, [row.partition_id for row in known])
    return table


def keep_what_is_whole(connection: Connection, load: Load, feed: Feed) -> None:
    """Mark the partitions whose staged rows are not all there, and leave no rows but those of the others.

    A table that was swept since the attempt began is made anew.
    """
    table = make_staging(connection, load, feed, fact_table(connection, feed))
    known = partitions.loaded_partitions(connection, load)
    rows = {row.partition_id: row.staged_rows or 0 for row in known}
    partitions.load_again(connection, load, staged.keep_slices(connection, table, rows))


def staged_before(
    connection: Connection, load: Load, feed: Feed, partition: PartitionFile, made_of: str
) -> PartitionCounts | None:
    """What the partition came to, when nothing is to be done: staged from the same already, or published."""
    in_use.at_work(connection, load)
    state = ledger.fence(connection, load, *ledger.UNFINISHED, "published")
    row = partitions.lock_partition(connection, load, partition.partition_id)
    if state == "published" or row.staged_from == made_of:
        return partitions.counts_of(row, feed.fact.measures)
    return None


def digest_of(partition: PartitionFile, maps: Sequence[DimensionMap]) -> str:
    """What a partition's staged rows are made of, and by which factload."""
    joined = " ".join([__version__, partition.sha256, *sorted(f"{m.dimension}={m.sha256}" for m in maps)])
    return hashlib.sha256(joined.encode()).hexdigest()
