"""Merged ranges of a sheet, collected."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

from factload.sheet.file_errors import hostile
from factload.sheet.limits import Limits

# Of each range its first row and column, its last row and column.
Ranges = npt.NDArray[np.int32]
NO_RANGES: Ranges = np.empty((0, 4), np.int32)


class RangeList:
    """The merged ranges of more than one cell that reach a header's row, or rows below it, as they are added."""

    def __init__(self, header_row: int, limits: Limits) -> None:
        self._header_row, self._most = header_row, limits.merged_ranges
        self._corners = array("i")

    @property
    def ranges(self) -> Ranges:
        return np.array(self._corners, np.int32).reshape(-1, 4)

    def add(self, top: int, left: int, bottom: int, right: int) -> None:
        """Raises WorkbookError for more of them than any real sheet has."""
        if bottom < self._header_row or (left, top) == (right, bottom):
            return
        if len(self._corners) >= 4 * self._most:
            raise hostile(
                "The sheet has more merged ranges than the limit", f"at most {self._most:,}", "merged_ranges"
            )
        self._corners.extend((top, left, bottom, right))
