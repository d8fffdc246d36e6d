"""A csv file as a stream of blocks: whole records, some megabytes each, never across two partitions.

Only what can be cut by its bytes: every quote opens a field, closes one, or stands twice within one. Where that holds
of all quotes of a block, counting them tells which line ends are within a field; :class:`NotPlain` where it doesn't.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.csv.stream import Stream, line_feeds
from factload.sheet.pieces import NotPlain
from factload.vectors import Bytes, Flags, Positions

_LF, _CR = ord("\n"), ord("\r")


@dataclass(frozen=True, slots=True)
class Records:
    """Whole records: their bytes, where each of them ends (after its line feed), the line where the first begins."""

    data: bytes
    ends: Positions
    line: int
    ends_partition: bool


class RecordStream:
    """The records of one file, in order, without the first lines. Iterate once."""

    def __init__(
        self,
        stream: Stream,
        dialect: CsvDialect,
        *,
        skip_lines: int,
        rows_per_partition: int,
        block_bytes: int,
        row_bytes: int,
    ) -> None:
        self._stream, self._dialect = stream, dialect
        self._rows_per_partition, self._block_bytes, self._row_bytes = (
            rows_per_partition,
            block_bytes,
            row_bytes,
        )
        self._buffer, self._line, self._whole = b"", 1, False
        self._skip(skip_lines)

    def __iter__(self) -> Iterator[Records]:
        rows = 0
        while len(ends := self._fill()):
            at = done = 0
            while done < len(ends):
                taken = ends[done : done + self._rows_per_partition - rows]
                data = self._buffer[at : taken[-1]]
                rows = (rows + len(taken)) % self._rows_per_partition
                yield Records(data, taken - at, self._line, ends_partition=rows == 0)
                self._line += line_feeds(data)
                at, done = int(taken[-1]), done + len(taken)
            self._buffer = self._buffer[at:]

    def _skip(self, lines: int) -> None:
        for _ in range(lines):
            while (end := self._buffer.find(b"\n")) < 0 and self._more():
                if len(self._buffer) > self._row_bytes:
                    raise NotPlain
            if b"\r" in self._buffer[: max(end - 1, 0)]:
                raise NotPlain
            self._buffer, self._line = self._buffer[end + 1 :], self._line + 1

    def _more(self) -> bool:
        """Read on; at the end of the file, end its last line."""
        if self._whole:
            return False
        data = self._stream.read(self._block_bytes)
        self._whole = not data
        if self._whole and self._buffer and not self._buffer.endswith(b"\n"):
            data = b"\n"
        self._buffer += data
        return bool(data)

    def _fill(self) -> Positions:
        """Read on until the buffer holds a block; where each of its whole records ends, none at the end of the file."""
        while True:
            if len(self._buffer) >= self._block_bytes or self._whole:
                if len(ends := record_ends(self._buffer, self._dialect.quote)):
                    return ends
                if self._buffer and self._whole:
                    raise NotPlain  # within quotes that nothing closes
                if self._whole:
                    return ends
            if len(self._buffer) > self._row_bytes:
                raise NotPlain
            self._more()


def record_ends(data: bytes, quote: str) -> Positions:
    """The position after each line feed of ``data`` outside of quotes. Raises NotPlain for a lone carriage return."""
    array = np.frombuffer(data, np.uint8)
    feeds = np.flatnonzero(array == _LF)
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n") + data.endswith(b"\r"):
        raise NotPlain
    quotes = quote_positions(data, array, quote)
    if len(quotes):
        feeds = feeds[~within(feeds, quotes)]
    ends: Positions = feeds + 1
    return ends


def quote_positions(data: bytes, array: Bytes, quote: str) -> Positions:
    """Where the quotes are."""
    if not quote or quote.encode() not in data:
        return np.empty(0, np.int64)
    return np.flatnonzero(array == ord(quote))


def within(places: Positions, quotes: Positions) -> Flags:
    """Which places have an odd number of quotes before them."""
    inside: Flags = (np.searchsorted(quotes, places) & 1).astype(np.bool_)
    return inside


def check_quotes(array: Bytes, quotes: Positions, dialect: CsvDialect) -> None:
    """Raise NotPlain unless each quote of some whole records opens a field, closes one or stands twice in one."""
    if len(quotes) % 2:
        raise NotPlain
    delimiter, quote = ord(dialect.delimiter), ord(dialect.quote)
    before = array[quotes[0::2] - 1]  # of the first quote, at 0, it is the block's last byte: a line feed
    after = array[quotes[1::2] + 1]
    opens = (before == delimiter) | (before == _LF) | (before == quote)
    closes = (after == delimiter) | (after == _LF) | (after == _CR) | (after == quote)
    if not (opens.all() and closes.all()):
        raise NotPlain
