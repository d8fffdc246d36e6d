"""What the ledger knows of a load's partitions: what each was counted at, and what of it is staged."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Connection

from factload.errors import Superseded
from factload.ledger.conditions import of_content, of_partition
from factload.ledger.ledger import UNFINISHED, fence, loading_again, update_attempt
from factload.ledger.tables import partitions, rejects
from factload.load import Load, PartitionCounts, Split, WitnessValue
from factload.postgres.encoding import storable


def record_split(connection: Connection, load: Load, split: Split, witness: Sequence[WitnessValue]) -> None:
    """Note what the workbook was split into; what another way of splitting left is forgotten.

    ``witness``: what the owner's own numbers say.
    """
    fence(connection, load, *UNFINISHED, lock="share")
    kept = [f.partition_id for f in split.partitions]
    for table in (partitions, rejects):
        connection.execute(
            delete(table).where(
                of_content(table, load.load_id, load.content),
                table.c.partition_id.not_in(kept),
            )
        )
    if split.partitions:
        noted = upsert(partitions)
        counted = {
            name: noted.excluded[name]
            for name in ("label", "source_rows", "blank_rows", "left_out_rows", "file_sha256")
        }
        connection.execute(
            noted.on_conflict_do_update(constraint=partitions.primary_key, set_=counted),
            [
                {
                    "load_id": load.load_id,
                    "content": load.content,
                    "partition_id": f.partition_id,
                    "label": storable(connection, f.label),
                    "workbook": f.workbook,
                    "sheet": f.sheet,
                    "first_row": f.first_row,
                    "last_row": f.last_row,
                    "source_rows": f.source,
                    "blank_rows": f.blank,
                    "left_out_rows": f.left_out,
                    "file_sha256": f.sha256,
                }
                for f in split.partitions
            ],
        )
    update_attempt(
        connection,
        load,
        left_out_rows=split.left_out,
        source_rows=split.source,
        blank_rows=split.blank,
        warnings=[storable(connection, warning) for warning in split.warnings],
        witness=[
            {
                name: storable(connection, said) if isinstance(said, str) else said
                for name, said in asdict(value).items()
            }
            for value in witness
        ],
    )


def counts_of(row: Row[Any], measures: Sequence[str]) -> PartitionCounts:
    """What a partition's ledger row says it came to; nothing rejected or staged when it was never loaded."""
    return PartitionCounts(
        row.partition_id,
        row.label,
        row.source_rows,
        row.blank_rows,
        row.rejected_rows or 0,
        row.staged_rows or 0,
        row.totals or dict.fromkeys(measures, "0"),
        row.weighted or {},
        row.unknown_rows,
        sum(row.left_out_rows.values()),
    )


def lock_partition(connection: Connection, load: Load, partition_id: str) -> Row[Any]:
    """The partition's ledger row, held until the transaction ends, so that two deliveries queue up."""
    found = connection.execute(
        select(partitions).where(of_partition(partitions, load, partition_id)).with_for_update()
    ).one_or_none()
    if found is None:
        raise Superseded(
            "partition_unknown",
            f"partition {partition_id} is not one that {load.load_id} was split into",
            remedy="Run the load again from split_workbook",
        )
    return found


def record_created(
    connection: Connection, load: Load, partition_id: str, dimension: str, members: int
) -> None:
    """Note that a partition made members of a dimension, in the transaction that did it."""
    if members:
        made = lock_partition(connection, load, partition_id).created_members
        connection.execute(
            update(partitions)
            .where(of_partition(partitions, load, partition_id))
            .values(created_members={**made, dimension: made.get(dimension, 0) + members})
        )


def record_partition(connection: Connection, load: Load, counts: PartitionCounts, staged_from: str) -> None:
    """Note what of a partition was staged and rejected, and on which host, in the transaction that did it.

    ``staged_from``: digest of what its rows were made of. A delivery with the same digest is skipped.

    The attempt is ``loading`` again, whatever it was: what has changed must be reconciled anew.
    """
    connection.execute(
        update(partitions)
        .where(of_partition(partitions, load, counts.partition_id))
        .values(
            rejected_rows=counts.rejected,
            staged_rows=counts.staged,
            totals=counts.totals,
            weighted=counts.weighted,
            unknown_rows=counts.unknown,
            delivered_totals=counts.delivered,
            staged_from=staged_from,
            loaded_epoch=load.epoch,
            worker=storable(connection, socket.gethostname()),
        )
    )
    loading_again(connection, load)


def loaded_partitions(
    connection: Connection, load: Load, first: int = 0, most: int | None = None
) -> list[Row[Any]]:
    """The ledger rows of this content's partitions, in the order of workbooks, sheets and rows: all of them, or at
    ``most`` so many from number ``first`` on, counted from 0."""
    return partitions_of(connection, load.load_id, load.content, first, most)


def partitions_of(
    connection: Connection, load_id: str, content: str, first: int = 0, most: int | None = None
) -> list[Row[Any]]:
    """The same by the load's identity and its content."""
    return list(
        connection.execute(
            select(partitions)
            .where(of_content(partitions, load_id, content))
            .order_by(partitions.c.workbook, partitions.c.sheet, partitions.c.first_row)
            .offset(first or None)
            .limit(most)
        )
    )


def staged_from(connection: Connection, load: Load) -> dict[str, str]:
    """Partition id → the digest of what its staged rows were made of, for those of this content that are staged."""
    found = connection.execute(
        select(partitions.c.partition_id, partitions.c.staged_from).where(
            of_content(partitions, load.load_id, load.content), partitions.c.staged_from.is_not(None)
        )
    )
    return {row.partition_id: row.staged_from for row in found}


def load_again(connection: Connection, load: Load, partition_ids: Collection[str]) -> None:
    """Mark these partitions: what is staged of them is not to be relied on."""
    connection.execute(
        update(partitions)
        .where(
            of_content(partitions, load.load_id, load.content),
            partitions.c.partition_id.in_(partition_ids),
        )
        .values(staged_from=None)
    )
