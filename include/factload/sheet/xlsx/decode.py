"""One piece of a sheet decoded: plain rows by the fast path, others by the slow path, and counted independently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa

from factload.errors import WorkbookError
from factload.sheet.block import Block, empty_block, merge
from factload.sheet.columns import type_rows
from factload.sheet.left_out import LeftOutRows
from factload.sheet.limits import Limits
from factload.sheet.merged import MergedCells
from factload.sheet.pieces import NO_MARKS, Decoded, NotPlain, Pieces, row_count_mismatch
from factload.sheet.placing import Placing
from factload.sheet.rows import Row, bounded, row_out_of_order, to_block
from factload.sheet.xlsx.counting import RowCounter, count_valued
from factload.sheet.xlsx.fast_path import read_plain
from factload.sheet.xlsx.package import Package
from factload.sheet.xlsx.plain_row_regex import split_plain
from factload.sheet.xlsx.slow_path import SheetParser, iterate
from factload.sheet.xlsx.strings_table import SharedStrings
from factload.sheet.xlsx.windows import Window
from factload.vectors import one_value

_EXACT_BATCH = 10_000  # rows: Python objects, so few
FOOT = b"</sheetData></worksheet>"


class SheetDecoder:
    """Everything that decoding a piece of one sheet needs.

    ``part``: the sheet's zip member in ``package``; ``placing``: what is read of each row, and where; ``strings``: the
    shared strings; ``limits``: the bounds on its text.

    Threads share it: it never changes, unless it has ``merged`` cells, which are told of the pieces in their order.
    ``stale``: the values of the sheet's formulas are out of date. ``leaves``: which rows are no data.
    ``followed``: whether the row after the last one has something in a column that is read, once ``exactly`` is done.
    """

    def __init__(
        self,
        part: str,
        placing: Placing,
        strings: SharedStrings,
        package: Package,
        limits: Limits,
        *,
        stale: bool = False,
        merged: MergedCells | None = None,
        leaves: LeftOutRows | None = None,
    ) -> None:
        self._part, self._placing, self._strings = part, placing, strings
        self._package, self._limits, self._stale, self._merged = package, limits, stale, merged
        self._leaves, self.followed = leaves, False
        self.columns = sorted(
            {*(merged.columns if merged else placing.columns), *(leaves.columns if leaves else ())}
        )

    def window(self, window: Window, head: bytes, keep_space: bool) -> Decoded:
        """Decode one window; ``head`` stands before the sheet's rows, and says whether they ``keep_space``.

        Raises NotPlain when only reading the whole sheet exactly can tell.
        """
        try:
            one_value(window.xml).cast(pa.string())
        except pa.ArrowInvalid as error:
            raise NotPlain from error
        plain, odd = split_plain(window.xml, window.ends)
        block = self._plain(plain, keep_space) if plain else empty_block(self.columns)
        if odd:
            block = merge(block, self._fragment(head, odd))
            _check_order(block)
        counted = count_valued(window.xml, window.ends, stale=self._stale)
        if counted != len(block):
            raise NotPlain
        return self._decoded(block, counted, window.ends_partition)

    def _plain(self, rows: bytes, keep_space: bool) -> Block:
        return read_plain(
            rows,
            self.columns,
            self._strings,
            self._package.date_styles,
            keep_space=keep_space,
            stale=self._stale,
        )

    def exactly(self, header_row: int, last_row: int, rows_per_partition: int) -> Pieces:
        """The sheet below the header and through the last row by the slow path, in small pieces."""
        rows = self._through(header_row, last_row)
        while partition := self._some(rows, rows_per_partition):
            left = rows_per_partition - len(partition)
            while left > 0 and (more := self._some(rows, left)):
                yield self._exact_piece(partition, ends_partition=False)
                partition, left = more, left - len(more)
            yield self._exact_piece(partition, ends_partition=True)

    def _through(self, header_row: int, last_row: int) -> Iterator[Row]:
        for row in self._rows():
            if header_row < row.number <= last_row:
                yield row
            elif row.number == last_row + 1:
                self.followed = self._has_something(row)

    def follows(self, head: bytes, row: bytes) -> bool:
        """Whether the row after the last one has something in a column that is read."""
        return any(map(self._has_something, iterate(self._parser(need_numbers=True), [head, row, FOOT])))

    def _has_something(self, row: Row) -> bool:
        return any(column in row.cells for column in self._placing.columns)

    def _some(self, rows: Iterator[Row], most: int) -> list[Row]:
        return list(bounded(islice(rows, min(most, _EXACT_BATCH)), self._limits.window_text_bytes))

    def _exact_piece(self, rows: Sequence[Row], *, ends_partition: bool) -> Decoded:
        block = to_block(rows, self.columns, rows[-1].number)
        return self._decoded(block, sum(row.valued for row in rows), ends_partition)

    def _rows(self) -> Iterator[Row]:
        """Each row, after the independent counter agreed whether it carries a value."""
        parser, counter = self._parser(need_numbers=False), RowCounter(self._part, stale=self._stale)
        with self._package.open_part(self._part, self._limits.sheet_bytes) as stream:
            while chunk := stream.read(1 << 16):
                yield from self._agreed(parser.feed(chunk), counter.feed(chunk))
            yield from self._agreed(parser.feed(b"", final=True), counter.feed(b"", final=True))

    def _agreed(self, rows: list[Row], counted: list[bool]) -> Iterator[Row]:
        if len(rows) != len(counted):
            raise row_count_mismatch(self._part, rows[0].number if rows else 0)
        for row, valued in zip(rows, counted, strict=True):
            if row.valued != valued:
                raise row_count_mismatch(self._part, row.number)
            yield row

    def _parser(self, *, need_numbers: bool) -> SheetParser:
        return SheetParser(
            self._part,
            self._strings,
            self._package.date_styles,
            only=self.columns,
            max_chars=self._limits.text_chars,
            max_text_bytes=self._limits.window_text_bytes,
            need_numbers=need_numbers,
            stale=self._stale,
        )

    def _fragment(self, head: bytes, rows: bytes) -> Block:
        parser = self._parser(need_numbers=True)
        try:
            limit = self._limits.window_text_bytes
            found = list(bounded(iterate(parser, [head, rows, FOOT]), limit))
        except WorkbookError as error:
            raise NotPlain from error  # the exact reader over the whole sheet knows what to say
        if parser.spreads:  # into rows that are read elsewhere
            raise NotPlain
        return to_block(found, self.columns, found[-1].number if found else 0)

    def _decoded(self, block: Block, source: int, ends_partition: bool) -> Decoded:
        if self._merged is not None:
            block = self._merged.settle(block)
        rows = type_rows(block, self._placing, calendar=self._package.calendar)
        first = int(block.row[0]) if len(block) else block.last_row
        marks = self._leaves.marks(block, rows) if self._leaves else NO_MARKS
        return Decoded(rows, source * self._placing.rows_of_one, first, block.last_row, ends_partition, marks)


def _check_order(block: Block) -> None:
    falls = (block.row[1:] <= block.row[:-1]).nonzero()[0]
    if len(falls):
        raise row_out_of_order(int(block.row[falls[0] + 1]), int(block.row[falls[0]]))
