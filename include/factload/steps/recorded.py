"""The partitions of a load as the ledger has them, for whoever was told their numbers and no more."""

from __future__ import annotations

from factload.errors import Superseded
from factload.load import Load, PartitionFile
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.split.recorded import recorded_files


def recorded_partitions(
    load: Load, first: int = 0, number: int | None = None, *, database: str
) -> tuple[PartitionFile, ...]:
    """``number`` partitions of the load from the one numbered ``first`` on, counted from 0 in the order of workbooks,
    sheets and rows; without a number, all that follow.

    Raises ``Superseded`` when there are fewer: the load was split again, and otherwise.
    """
    with (
        database_errors(f"reading the partitions of {load.load_id}"),
        engine_for(database).connect() as connection,
    ):
        found = recorded_files(connection, load, first, number)
    if number is not None and len(found) < number:
        raise Superseded(
            "partition_unknown",
            f"{load.load_id} has no {number} partitions from number {first + 1} on",
            remedy="Run the load again from split_workbook",
        )
    return found
