"""A sheet's XML as a stream of windows: some megabytes each, cut after a row, never across two partitions.

Most libraries load the whole sheet, so memory grows with its length. Windows keep it flat, and allow an independent
count of the rows that carry a value, taken from the bytes and not from the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from factload.errors import WorkbookError
from factload.sheet.file_errors import damaged, hostile
from factload.sheet.inflate import Stream
from factload.sheet.limits import MAX_ROWS, Limits
from factload.sheet.pieces import NotPlain
from factload.sheet.xlsx.character_data import KeptSpace
from factload.sheet.xlsx.row_numbers import NO_ELEMENTS, row_numbers
from factload.sheet.xlsx.tail import Tail, TailReader
from factload.sheet.xlsx.xml_bytes import row_ends
from factload.sheet.xlsx.xml_parts import main_name
from factload.sheet.xml_reader import XmlReader, is_utf8
from factload.vectors import Positions

_CLOSE = b"</row>"
_READ_BYTES = 1 << 18
_SHEET_DATA = re.compile(rb"<sheetData\s*(/?)>")
_SHEET_DATA_END = b"</sheetData"
_VALUE = rb"""(?:"[^"<>]*"|'[^'<>]*')"""
_ROW = re.compile(rb"\s*+<row((?:\s+[^\s=<>\"']+=" + _VALUE + rb")*)\s*(/?)>")
_ATTRIBUTE = re.compile(rb"\s+([^\s=]+)=(" + _VALUE + rb")")
_NUMBER = re.compile(rb"""["']([0-9]{1,7})["']""")


@dataclass(frozen=True, slots=True)
class Window:
    """Whole rows of XML, and the position in it where each ends; the last position is its length.

    ``ends_partition``: the next window begins another partition.
    """

    xml: bytes
    ends: Positions
    ends_partition: bool


class Windows:
    """The windows of one sheet, in order, below the header and through ``last_row``. Iterate once.

    ``keep_space``: whether the sheet keeps the white space of all texts in its rows. ``tail``: known when iterating is
    done. ``next_row``: the one right behind the last row, if there is one and it is passed.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        skip_to_row: int,
        last_row: int = MAX_ROWS,
        rows_per_partition: int,
        rows_per_window: int,
        window_bytes: int,
        limits: Limits,
    ) -> None:
        self._stream, self._rows_per_window = stream, rows_per_window
        self._rows_per_partition, self._window_bytes, self._row_bytes = (
            rows_per_partition,
            window_bytes,
            limits.row_bytes,
        )
        self._last_row, self._past = last_row, 0  # the number of the last row that was left out behind it
        self.next_row = b""
        self._buffer, self._at = b"", 0
        self._tail = TailReader("the sheet", skip_to_row, limits)
        self._within: list[str] = []
        self._space = KeptSpace()
        self._frame = XmlReader("the sheet", start=self._open, end=self._close)  # sees all but the rows
        self.head, self.keep_space = b"", False
        self._has_rows = self._read_head()
        if self._has_rows and skip_to_row:
            self._skip_through(skip_to_row)

    def __iter__(self) -> Iterator[Window]:
        rows = 0
        while self._has_rows and (filled := self._fill()):
            ends, done = self._through_last_row(row_ends(self._buffer, self._at, filled)), 0
            while done < len(ends):
                most = min(self._rows_per_partition - rows, self._rows_per_window)
                taken = ends[done : done + most]
                xml = self._buffer[self._at : taken[-1]]
                rows = (rows + len(taken)) % self._rows_per_partition
                yield Window(xml, taken - self._at, ends_partition=rows == 0)
                self._at, done = int(taken[-1]), done + len(taken)
            self._at = filled
        self._read_tail()

    def _through_last_row(self, ends: Positions) -> Positions:
        """Where those rows end that are not behind the last one. All others must ascend: none may belong before it."""
        if self._last_row >= MAX_ROWS or not len(ends):
            return ends
        start = int(ends[-2]) if len(ends) > 1 else self._at
        final = row_numbers(self._buffer[start : ends[-1]], ends[-1:] - start)
        if not self._past and final[0] <= self._last_row:
            return ends
        numbers = row_numbers(self._buffer[self._at : ends[-1]], ends - self._at)
        if numbers[0] <= self._past:
            raise NotPlain
        kept = int(np.searchsorted(numbers, self._last_row, "right"))
        if not self._past and numbers[kept] == self._last_row + 1:
            self.next_row = self._buffer[int(ends[kept - 1]) if kept else self._at : ends[kept]]
        self._past = int(numbers[-1])
        return ends[:kept]

    @property
    def tail(self) -> Tail:
        return self._tail.tail

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self._within.append(name)
        self._space.open(attributes)
        if main_name(name) == "row":  # the end of the rows, or their beginning, was in a comment
            raise NotPlain
        self._tail.start(name, attributes)

    def _close(self, _: str) -> None:
        self._within.pop()
        self._space.close()

    def _read_head(self) -> bool:
        """Everything up to ``<sheetData>``; False when the sheet has no rows at all."""
        found = None
        while found is None:
            if not self._more() or len(self._buffer) > self._row_bytes:
                raise NotPlain
            found = _SHEET_DATA.search(self._buffer)
        head = self._buffer[: found.end()]
        if not is_utf8(head) or b"<worksheet" not in head:
            raise NotPlain
        try:
            self._frame.feed(head)
        except WorkbookError as error:
            raise NotPlain from error
        empty = bool(found[1])
        within = ["worksheet"] if empty else ["worksheet", "sheetData"]
        if [main_name(name) for name in self._within] != within:
            raise NotPlain
        self.head, self.keep_space, self._at = head, self._space.kept, found.end()
        return not empty

    def _more(self) -> bool:
        pieces = [self._buffer[self._at :]]
        wanted = self._window_bytes
        # zipfile copies what it has not inflated yet at every call: small calls copy little
        while wanted > 0 and (piece := self._stream.read(min(_READ_BYTES, wanted))):
            pieces.append(piece)
            wanted -= len(piece)
        self._buffer, self._at = b"".join(pieces), 0
        return len(pieces) > 1

    def _fill(self) -> int:
        """Read on until the buffer holds a window or the rows end; where its last whole row ends, 0 for none."""
        while True:
            enough = len(self._buffer) - self._at >= self._window_bytes
            close = self._buffer.rfind(_CLOSE, self._at)
            if enough and close >= 0:
                return close + len(_CLOSE)
            rest = close + len(_CLOSE) if close >= 0 else self._at
            if self._buffer.find(_SHEET_DATA_END, rest) >= 0:
                return rest if close >= 0 else 0
            if len(self._buffer) - rest > self._row_bytes:
                raise hostile(
                    "A row of the sheet is longer than the limit",
                    f"at most {self._row_bytes:,} bytes",
                    "row_bytes",
                )
            if not self._more():
                raise damaged("The sheet's XML breaks off before its end")

    def _skip_through(self, row: int) -> None:
        """Leave out the rows through number ``row``, the header's. What is no row there is NotPlain."""
        while end := self._fill():
            while self._at < end:
                match = _ROW.match(self._buffer, self._at, end)
                number = match and _NUMBER.fullmatch(dict(_ATTRIBUTE.findall(match[1])).get(b"r", b""))
                if match is None or number is None:
                    raise NotPlain
                if int(number[1]) > row:
                    return
                close = match.end() if match[2] else self._buffer.index(_CLOSE, match.end()) + len(_CLOSE)
                if any(self._buffer.find(mark, match.end(), close) >= 0 for mark in NO_ELEMENTS):
                    raise NotPlain
                self._at = close

    def _read_tail(self) -> None:
        """What follows the rows, to the end: it must be well-formed, and reading it checks the part's CRC."""
        rest = self._buffer[self._at :]
        try:
            while rest:
                self._frame.feed(rest)
                rest = self._stream.read(1 << 20)
            self._frame.feed(b"", final=True)
        except WorkbookError as error:
            raise NotPlain from error
