"""The number of a staged row, which is that of its row in the sheet, or of its cell where columns become rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from factload.feed.model import Feed
from factload.sheet.pivot import CELL, place_in
from factload.vectors import fixed, integers


def numbers_of(rows: pa.Table) -> pa.ChunkedArray[Any]:
    """The numbers of the rows of a partition file, as the staging table has them."""
    return rows[CELL if CELL in rows.column_names else "row"]


def sheet_row(feed: Feed, number: int) -> int:
    """The row of the sheet."""
    return number if feed.workbook.unpivot is None else place_in(number)[0]


def sheet_rows(feed: Feed, numbers: pa.Array[Any]) -> pa.Array[Any]:
    """The same for many."""
    if feed.workbook.unpivot is None:
        return numbers
    return integers(place_in(fixed(numbers, np.int32))[0].astype(np.int32))
