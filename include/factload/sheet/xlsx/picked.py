"""Some rows of a sheet by their numbers, cut out of its bytes, so that the others need not be parsed.

Only where the bytes leave no doubt: every row says its number, no comment may hold what looks like one, and no formula
fills cells of other rows. Otherwise NotPlain is raised, and the caller reads all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from factload.sheet.pieces import NotPlain
from factload.sheet.rows import Row
from factload.sheet.xlsx.plain_cells import FILLS
from factload.sheet.xlsx.row_numbers import row_numbers
from factload.sheet.xlsx.windows import Window
from factload.vectors import Positions


class Wanted:
    """Ascending numbers, of which one at a time is looked at."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = iter(numbers)
        self._taken: list[int] = []
        self.next = next(self._numbers, None)

    def through(self, last: int) -> list[int]:
        """Those up to ``last``; when others are asked for, these have been found."""
        self._taken = []
        while self.next is not None and self.next <= last:
            self._taken.append(self.next)
            self.next = next(self._numbers, None)
        return self._taken

    def given(self) -> None:
        """Those that were taken last have been given: whoever reads all rows after this needs none of them."""
        self._taken = []

    def not_found_yet(self) -> Iterator[int]:
        """Those that were taken last, and all that follow."""
        following = () if self.next is None else (self.next,)
        return chain(self._taken, following, self._numbers)


def picked_rows(
    windows: Iterable[Window], wanted: Wanted, parse: Callable[[bytes], Sequence[Row]]
) -> Iterator[list[Row]]:
    """The ``wanted`` rows of each window that has some. ``parse``: rows of XML, read exactly."""
    for window in windows:
        if wanted.next is None:
            return
        numbers = _numbers(window)
        here = wanted.through(int(numbers[-1]))
        which = np.flatnonzero(np.isin(numbers, here))
        if len(which):
            starts = np.concatenate([[0], window.ends[:-1]])
            rows = parse(b"".join(window.xml[starts[i] : window.ends[i]] for i in which))
            found = [row for row in rows if row.number in set(here)]
            if [row.number for row in found] != numbers[which].tolist():
                raise NotPlain
            yield found
            wanted.given()


def _numbers(window: Window) -> Positions:
    """The number of each row that ends in the window."""
    if FILLS.search(window.xml):
        raise NotPlain
    return row_numbers(window.xml, window.ends)
