"""Partition files as the ledger knows them: what a task that was told no more than their numbers loads."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from sqlalchemy.engine import Connection

from factload.ledger.partitions import loaded_partitions
from factload.load import Load, PartitionFile
from factload.split.partitions import file_name
from factload.staging.files import name_with
from factload.staging.store import Place, place_of


def recorded_files(
    connection: Connection, load: Load, first: int = 0, most: int | None = None
) -> tuple[PartitionFile, ...]:
    """What the load's workbooks were split into, in the order of workbooks, sheets and rows: all of it, or at ``most``
    so many partitions from number ``first`` on, counted from 0.

    Their addresses are those in this attempt's place. Of a load that is published the files are gone, and nobody needs
    them.
    """
    place = place_of(load)
    return tuple(_file(row, place) for row in loaded_partitions(connection, load, first, most))


def _file(row: Row[Any], place: Place) -> PartitionFile:
    sha256 = row.file_sha256 or ""
    return PartitionFile(
        partition_id=row.partition_id,
        label=row.label,
        path=place.address(name_with(sha256, file_name(row.partition_id))),
        sha256=sha256,
        workbook=row.workbook,
        sheet=row.sheet,
        first_row=row.first_row,
        last_row=row.last_row,
        source=row.source_rows,
        blank=row.blank_rows,
        rejected=row.rejected_rows or 0,
        rows=row.source_rows - row.blank_rows - sum(row.left_out_rows.values()),
        left_out=row.left_out_rows,
    )
