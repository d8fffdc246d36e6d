"""One piece of a sheet decoded: by the fast reader where it is plain, exactly where it isn't, counted apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from factload.block import Block, empty_block, merge
from factload.cells import Row, SheetParser, iterate, row_out_of_order, to_block
from factload.columns import SheetField, TypedRows, type_rows
from factload.errors import WorkbookError
from factload.grammar import split_plain
from factload.package import Limits, Package
from factload.plain import read_plain
from factload.strings_table import SharedStrings, repeated
from factload.vectors import one_value
from factload.windows import NotPlain, Window, count_valued

_EXACT_BATCH = 10_000  # rows: Python objects, so few
_FOOT = b"</sheetData></worksheet>"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A piece's typed rows; ``source`` counted from the bytes; its first and last Excel row (0: none)."""

    rows: TypedRows
    source: int
    first_row: int
    last_row: int
    ends_partition: bool


class SheetDecoder:
    """Everything that decoding a piece of one sheet needs. Threads share it; it never changes."""

    def __init__(
        self,
        part: str,
        fields: Sequence[SheetField],
        placed: Sequence[int],
        strings: SharedStrings,
        package: Package,
        limits: Limits,
    ) -> None:
        self._part, self._fields, self._placed, self._strings = part, fields, placed, strings
        self._package, self._limits = package, limits
        self._columns = sorted(set(placed))

    def window(self, window: Window, head: bytes) -> Decoded:
        """Decode one window. Raises NotPlain when only reading the whole sheet exactly can tell."""
        try:
            one_value(window.xml).cast(pa.string())
        except pa.ArrowInvalid as error:
            raise NotPlain from error
        plain, odd = split_plain(window.xml)
        block = (
            read_plain(plain, self._columns, self._strings, self._package.date_styles)
            if plain
            else empty_block(self._columns)
        )
        if odd:
            block = merge(block, self._fragment(head, odd))
            _check_order(block)
        counted = count_valued(window.xml)
        if counted != len(block):
            raise NotPlain
        return self._decoded(block, counted, window.ends_partition)

    def exactly(self, header_row: int, rows_per_partition: int) -> Iterator[Decoded]:
        """The whole sheet below the header by the exact reader, in small pieces."""
        rows = (row for row in self._rows() if row.number > header_row)
        while batch := list(islice(rows, min(rows_per_partition, _EXACT_BATCH))):
            self._bound(batch)
            block = to_block(batch, self._columns, batch[-1].number)
            yield self._decoded(block, len(block), True)

    def _rows(self) -> Iterator[Row]:
        parser = self._parser(need_numbers=False)
        with self._package.open_part(self._part, self._limits.sheet_bytes) as stream:
            yield from iterate(parser, iter(lambda: stream.read(1 << 16), b""))

    def _parser(self, *, need_numbers: bool) -> SheetParser:
        return SheetParser(
            self._part,
            self._strings,
            self._package.date_styles,
            only=self._columns,
            max_chars=self._limits.text_chars,
            need_numbers=need_numbers,
        )

    def _fragment(self, head: bytes, rows: bytes) -> Block:
        parser = self._parser(need_numbers=True)
        try:
            found = list(iterate(parser, [head, rows, _FOOT]))
        except WorkbookError as error:
            raise NotPlain from error  # the exact reader over the whole sheet knows what to say
        self._bound(found)
        return to_block(found, self._columns, found[-1].number if found else 0)

    def _bound(self, rows: Sequence[Row]) -> None:
        """Refuse texts that are few shared objects in these rows but many copies in an array."""
        taken = sum(len(text) for row in rows for _, text in row.cells.values())
        if taken > self._limits.window_text_bytes:
            raise repeated(taken, self._limits.window_text_bytes)

    def _decoded(self, block: Block, source: int, ends_partition: bool) -> Decoded:
        rows = type_rows(block, self._fields, self._placed, date1904=self._package.date1904)
        first = int(block.row[0]) if len(block) else block.last_row
        return Decoded(rows, source, first, block.last_row, ends_partition)


def _check_order(block: Block) -> None:
    falls = (block.row[1:] <= block.row[:-1]).nonzero()[0]
    if len(falls):
        raise row_out_of_order(int(block.row[falls[0] + 1]), int(block.row[falls[0]]))
