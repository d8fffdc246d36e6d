"""The owner's own number beside what a load would come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from factload.errors import RowsRefused
from factload.fact.resolve import delivered_totals
from factload.feed.model import Feed
from factload.load import PartitionFile
from factload.reconcile.witness import Compared, Counted


def counted_of(
    partition: PartitionFile, rows: pa.Table, feed: Feed, staged: int, loaded: Mapping[str, str]
) -> Counted:
    """What a witness may speak of in one partition. ``rows``: those of its file; ``staged`` of them would be loaded,
    and come to the sums ``loaded``."""
    return Counted(
        workbook=partition.workbook,
        sheet=partition.sheet,
        delivered_rows=partition.rows,
        loaded_rows=staged,
        delivered=delivered_totals(rows, feed),
        loaded=loaded,
    )


def unequal(compared: Sequence[Compared]) -> list[RowsRefused]:
    """Why the load would be held for its witness."""
    return [
        RowsRefused(
            "witness_differs",
            one.words,
            expected="what the workbook's owner says",
            remedy="Ask for the whole workbook, or for its right number",
        )
        for one in compared
        if not one.equal
    ]
