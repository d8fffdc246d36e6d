"""A part of a sheet that a feed reads instead of all of it: an Excel table, or a range of cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from factload.errors import WorkbookError
from factload.sheet.ranges import Ranges
from factload.sheet.references import range_of
from factload.sheet.rows import Row

_CUTS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells (rows from 1, columns A = 1, both ends included). Its first row is the header.

    ``title``: what messages call it, such as ``table 'Orders'``. ``totals``: how many of its last rows are totals.
    ``table``: whether it is an Excel table.
    """

    title: str
    top: int
    left: int
    bottom: int
    right: int
    totals: int = 0
    table: bool = False

    @property
    def last_row(self) -> int:
        """The last row of data."""
        return self.bottom - self.totals

    @property
    def reference(self) -> str:
        """Its cells, such as ``B4:H9000``."""
        return range_of(self.top, self.left, self.bottom, self.right)

    @property
    def place(self) -> str:
        """Where messages say that its header stands."""
        return f"in the first row of the {self.title}, {self.reference}"

    def has_rows_of(self, other: Area) -> bool:
        """Whether it is the other, or some columns of it."""
        return self.meets(other) and (self.top, self.bottom) == (other.top, other.bottom)

    def meets(self, other: Area) -> bool:
        """Whether they have a cell in common."""
        rows = self.top <= other.bottom and other.top <= self.bottom
        return rows and self.left <= other.right and other.left <= self.right

    def within(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Of its header and its data the rows, without the cells beside it; those that hold nothing are left out."""
        for row in rows:
            if row.number > self.last_row:
                return
            if row.number >= self.top:
                cells = {i: cell for i, cell in row.cells.items() if self.left <= i <= self.right}
                if cells:
                    yield replace(row, cells=cells)

    def require_uncut(self, merged: Ranges, sheet: str) -> None:
        """Raise ``WorkbookError`` where merged cells are half inside and half outside."""
        top, left, bottom, right = merged.T
        meets = (top <= self.bottom) & (bottom >= self.top) & (left <= self.right) & (right >= self.left)
        inside = (top >= self.top) & (bottom <= self.bottom) & (left >= self.left) & (right <= self.right)
        cutting = [range_of(*map(int, one)) for one in merged[meets & ~inside]]
        if cutting:
            more = f" and {len(cutting) - _CUTS_SHOWN:,} more" if len(cutting) > _CUTS_SHOWN else ""
            raise WorkbookError(
                "area_cut",
                f"The border of the {self.title} ({self.reference} of sheet {sheet!r}) cuts merged cells: "
                f"{', '.join(cutting[:_CUTS_SHOWN])}{more}",
                expected="merged cells either inside or outside",
                remedy="Undo the merging, or name a range that holds all of these cells",
            )
