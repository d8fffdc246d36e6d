"""Formulas that fill more cells than their own, and were never calculated: what those other cells hold.

ECMA-376 part 1, 18.3.1.40 (f): the first cell holds the formula, ``ref`` says which cells it fills.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from factload.sheet.block import UNREADABLE, Kind
from factload.sheet.references import corners

if TYPE_CHECKING:
    from factload.sheet.rows import Row


class Spread:
    """Told of such formulas as they come, it settles the rows that follow. ``columns``: those that it knows of."""

    def __init__(self, columns: Collection[int]) -> None:
        self._columns = frozenset(columns)
        self._filled: dict[
            int, tuple[int, str]
        ] = {}  # column → the last row that a formula fills, the formula

    @property
    def any(self) -> bool:
        return bool(self._filled)

    def note(self, reference: str, formula: str) -> None:
        """A formula fills this range, such as ``B2:B4``; "" for one that fills its own cell alone."""
        found = corners(reference) if reference else None
        if found is None:
            return
        top, left, bottom, right = found
        if (top, left) == (bottom, right):
            return
        for column in self._columns:
            if left <= column <= right and bottom > self._filled.get(column, (0, ""))[0]:
                self._filled[column] = bottom, formula

    def settle(self, row: Row, *, stale: bool) -> None:
        """Give the row's cells that a formula fills what they hold: no value, or one that is out of date."""
        if not row.valued:
            return
        for column, (last, formula) in self._filled.items():
            if row.number > last:
                continue
            kind, text = row.cells.get(column, (Kind.BLANK, ""))
            if kind == Kind.BLANK:
                row.cells[column] = Kind.NO_VALUE, formula
            elif stale and kind not in UNREADABLE:
                row.cells[column] = Kind.STALE, text
