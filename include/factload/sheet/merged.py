"""Merged cells: which cells of the rows they hide, what those show instead, and which headers they leave unclear.

Of a merged range a person sees the first cell alone, across all of it. Whether its value counts once, or for every row
or column that it is shown in, only the feed can say; what the other cells hold counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow.compute as pc

from factload.errors import WorkbookError
from factload.sheet.block import Block, Column, Int32s, Kind, blank_cells
from factload.sheet.choices import Merged
from factload.sheet.file_errors import damaged, hostile
from factload.sheet.limits import Limits
from factload.sheet.ranges import Ranges
from factload.sheet.references import range_of
from factload.sheet.rows import Row, bounded, to_block, too_much_text
from factload.vectors import Flags, Positions, flags, taken, texts

_WATCHED_AT_MOST = 100  # columns below one merged header
_MORE_COLUMNS_AT_MOST = 1_000
_BATCH = 1_000  # rows that are read one by one
_BLANK = (int(Kind.BLANK), "")


@dataclass(frozen=True, slots=True)
class _Covers:
    """The ranges that hide cells of one column, from the top down; they don't overlap.

    For each its first and last row, and the column of its first cell.
    """

    column: int
    first: Int32s
    last: Int32s
    left: Int32s

    def hidden(self, rows: Int32s) -> tuple[Flags, Positions]:
        """In which of ``rows``, ascending, this column's cell is hidden; and by which range, where it is."""
        which = np.searchsorted(self.first, rows, "right") - 1
        above = np.maximum(which, 0)
        inside = (which >= 0) & (rows <= self.last.take(above, mode="clip"))
        own = (rows == self.first.take(above, mode="clip")) & (
            self.left.take(above, mode="clip") == self.column
        )
        return inside & ~own, which


class MergedCells:
    """Applies the merged ranges of a sheet to its rows, which are passed block by block, in order.

    ``placed``: the mapped columns; ``header``: the row of their names. ``shown(kind, text)``: what a person reads in a
    cell. ``columns``: those whose cells a block must hold. ``unclear``: mapped columns whose name stands in a merged
    range of which it can't be told which column holds the values; known in the end.
    """

    def __init__(
        self,
        ranges: Ranges,
        header: int,
        placed: Collection[int],
        choice: Merged,
        limits: Limits,
        shown: Callable[[int, str], str],
    ) -> None:
        self._header, self._choice, self._limits, self._shown = header, choice, limits, shown
        self._mapped = sorted(set(placed))
        self._watched: dict[int, tuple[int, str]] = {}  # column → that of the name, the header's range
        self.unclear: dict[int, str] = {}
        self._note_headers(ranges)
        self._covers = dict(self._all_covers(ranges))
        self._before = 0  # the last row of the blocks so far
        self._carried: dict[
            int, tuple[int, tuple[int, str]]
        ] = {}  # column → first row of a range, what it shows

    @property
    def matter(self) -> bool:
        """Whether they change anything."""
        return bool(self._covers or self._watched or self.unclear)

    @property
    def columns(self) -> list[int]:
        first = {int(left) for c in self._mapped if c in self._covers for left in self._covers[c].left}
        more = (first if self._choice != "blank" else set()) | set(self._watched)
        if len(more) > _MORE_COLUMNS_AT_MOST:
            raise hostile(
                "The merged cells of the sheet begin in very many columns",
                f"at most {_MORE_COLUMNS_AT_MOST:,} beside those that the feed reads",
            )
        return sorted(more | set(self._mapped))

    def settle(self, block: Block) -> Block:
        """The block with its merged cells read as the feed declares."""
        columns = dict(block.columns)
        for column, covers in self._covers.items():
            hidden, which = covers.hidden(block.row)
            if hidden.any() and column in self._mapped:
                columns[column] = self._covered(block, covers, hidden, which)
        for column, (name, reference) in self._watched.items():
            if name not in self.unclear and self._shows(block, column):
                self.unclear[name] = reference
        self._carry(block)
        return Block(block.row, columns, block.last_row, block.ragged)

    def settled(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same for rows that carry a value, read one by one; those of the header and above stay as they are."""
        every = iter(rows)
        while batch := list(bounded(islice(every, _BATCH), self._limits.window_text_bytes)):
            below = [row for row in batch if row.number > self._header]
            if below:
                self._settle_rows(below)
            yield from batch

    def _settle_rows(self, rows: Sequence[Row]) -> None:
        block = self.settle(to_block(rows, self.columns, rows[-1].number))
        for column in self._mapped:
            if column not in self._covers:
                continue
            settled = block.columns[column]
            for row, kind, text in zip(rows, settled.kind.tolist(), settled.text.to_pylist(), strict=True):
                row.cells.pop(column, None)
                if kind != Kind.BLANK:
                    row.cells[column] = (Kind(kind), text)

    def _note_headers(self, ranges: Ranges) -> None:
        """Which merged headers are certain if nothing is shown in the other columns below them, and which never are."""
        top, left, bottom, right = ranges.T
        names = np.searchsorted(self._mapped, right, "right") > np.searchsorted(self._mapped, left)
        in_header = (top <= self._header) & (bottom >= self._header) & (left < right)
        for one in _apart(ranges[in_header & names], along=1):
            first, last, reference = int(one[1]), int(one[3]), range_of(*map(int, one))
            names = [column for column in self._mapped if first <= column <= last]
            if names == [first] and one[0] == self._header and last - first <= _WATCHED_AT_MOST:
                self._watched |= dict.fromkeys(range(first + 1, last + 1), (first, reference))
            else:
                self.unclear |= dict.fromkeys(names, reference)

    def _all_covers(self, ranges: Ranges) -> Iterator[tuple[int, _Covers]]:
        most = left = 4 * self._limits.merged_ranges
        for column in sorted({*self._mapped, *self._watched}):
            covers = _covers(ranges, column, self._header)
            if not len(covers.first):
                continue
            left -= len(covers.first)
            if left < 0:
                raise hostile(
                    "The merged cells of the sheet cover too many of the columns that the feed reads",
                    f"at most {most:,} times a column",
                    "merged_ranges",
                )
            yield column, covers

    def _covered(self, block: Block, covers: _Covers, hidden: Flags, which: Positions) -> Column:
        """A column with its hidden cells replaced."""
        at = np.flatnonzero(hidden)
        ranges, back = np.unique(which[at], return_inverse=True)
        cells = [self._comes_to(block, covers, int(number)) for number in ranges]
        column = block.columns[covers.column]
        kind = column.kind.copy()
        kind[at] = np.array([kind for kind, _ in cells], np.uint8)[back]
        lengths = np.array([len(text.encode()) for _, text in cells], np.int64)
        if lengths[back].sum() > self._limits.window_text_bytes:
            raise too_much_text(self._limits.window_text_bytes)
        text = taken(texts(text for _, text in cells), back.astype(np.int64))
        return Column(kind, pc.replace_with_mask(column.text, flags(hidden), text))

    def _comes_to(self, block: Block, covers: _Covers, number: int) -> tuple[int, str]:
        """What a hidden cell is read as, by the feed's choice."""
        if self._choice == "blank" or covers.first[number] <= self._header:  # a name is no value
            return _BLANK
        kind, text = self._first_cell(block, covers, number)
        if kind == Kind.BLANK or (kind == Kind.TEXT and not text.strip()):
            return _BLANK
        return (kind, text) if self._choice == "repeat" else (int(Kind.MERGED), self._shown(kind, text))

    def _first_cell(self, block: Block, covers: _Covers, number: int) -> tuple[int, str]:
        """What the first cell of a range holds, also where it stands in an earlier block."""
        row = int(covers.first[number])
        if row <= self._before:
            known, cell = self._carried.get(covers.column, (0, _BLANK))
            return cell if known == row else _BLANK
        at = int(np.searchsorted(block.row, row))
        if at == len(block) or block.row[at] != row:
            return _BLANK
        column = block.columns[int(covers.left[number])]
        return int(column.kind[at]), str(column.text[at].as_py())

    def _shows(self, block: Block, column: int) -> bool:
        """Whether any cell of the column shows something."""
        shows = ~blank_cells(block.columns[column])
        if column in self._covers:
            shows &= ~self._covers[column].hidden(block.row)[0]
        return bool(shows.any())

    def _carry(self, block: Block) -> None:
        """Keep the first cells of ranges that continue below this block."""
        last = max(block.last_row, self._before)
        if self._choice != "blank":
            for column in self._mapped:
                covers = self._covers.get(column)
                number = -1 if covers is None else int(np.searchsorted(covers.first, last, "right")) - 1
                if covers is not None and number >= 0 and covers.last[number] > last:
                    first = int(covers.first[number])
                    self._carried[column] = (first, self._first_cell(block, covers, number))
        self._before = last


def is_hidden(ranges: Ranges, row: int, column: int) -> bool:
    """Whether a cell is merged with others and not the first of them."""
    top, left, bottom, right = ranges.T
    inside = (top <= row) & (row <= bottom) & (left <= column) & (column <= right)
    return bool((inside & ((top != row) | (left != column))).any())


def _covers(ranges: Ranges, column: int, header: int) -> _Covers:
    top, left, bottom, right = ranges.T
    hides = (left <= column) & (right >= column) & (bottom > header) & ((left != column) | (bottom > top))
    found = _apart(ranges[hides], along=0)
    return _Covers(column, found[:, 0].copy(), found[:, 2].copy(), found[:, 1].copy())


def _apart(ranges: Ranges, *, along: int) -> Ranges:
    """Ranges that all hold cells of one column (``along`` 0) or of one row (1), in their order, each once.

    Raises WorkbookError for two that overlap: Excel makes none, and which of them hides the other can't be told.
    """
    found = ranges[np.lexsort((ranges[:, along + 2], ranges[:, 1 - along], ranges[:, along]))]
    twice = np.zeros(len(found), np.bool_)
    twice[1:] = (found[1:] == found[:-1]).all(axis=1)
    found = found[~twice]
    overlap = np.flatnonzero(found[1:, along] <= found[:-1, along + 2])
    if len(overlap):
        one, other = (range_of(*map(int, found[overlap[0] + n])) for n in (0, 1))
        raise damaged(f"The merged cells {one} and {other} overlap")
    return found


def merged_headers(names: Mapping[int, str], unclear: Mapping[int, str], sheet: str) -> list[WorkbookError]:
    """An error for each of the ``unclear`` columns."""
    return [
        WorkbookError(
            "header_merged",
            f"Sheet {sheet!r} has the column {names[index]!r} in merged cells {reference}: it is unclear which of "
            "their columns holds the values",
            expected="every mapped name in a cell of its own, or values below the first of the merged columns alone",
            remedy="Undo the merging, and write the name above the one column that holds the values",
        )
        for index, reference in unclear.items()
    ]
