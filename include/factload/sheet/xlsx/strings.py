"""Reading the shared strings part: plain items with vector operations, the others by XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from factload.errors import WorkbookError
from factload.sheet.file_errors import hostile
from factload.sheet.inflate import Stream
from factload.sheet.limits import Limits
from factload.sheet.xlsx.character_data import KeptSpace, TextItem
from factload.sheet.xlsx.excel_text import needs_settling, settle_some
from factload.sheet.xlsx.package import Package
from factload.sheet.xlsx.plain_row_regex import PRESERVE, items_are_plain
from factload.sheet.xlsx.strings_table import NO_STRINGS, SharedStrings
from factload.sheet.xlsx.xml_parts import main_name
from factload.sheet.xml_reader import XmlReader, is_utf8
from factload.vectors import one_value, slices, texts

_HEAD = re.compile(rb"""\A(?:\xef\xbb\xbf)?(?:<\?xml[^<>]*\?>)?\s*<sst(?: [^<>]*[^/<>])?>""")
_CLOSE = b"</si>"
_PIECE = 4 << 20


class _NotPlain(Exception):
    """The part can't be cut by its bytes."""


def load_strings(package: Package, limits: Limits) -> SharedStrings:
    """The workbook's shared strings; none when it has no such part. Raises WorkbookError."""
    part = package.strings_part
    if part is None or not package.has(part):
        return NO_STRINGS
    try:
        with package.open_part(part, limits.strings_bytes) as stream:
            arrays = list(_plain_pieces(stream, limits))
    except _NotPlain:
        with package.open_part(part, limits.strings_bytes) as stream:
            arrays = [_exact(iter(lambda: stream.read(1 << 16), b""), part, limits)]
    return SharedStrings(pa.concat_arrays(arrays), limits.window_text_bytes) if arrays else NO_STRINGS


def _plain_pieces(stream: Stream, limits: Limits) -> Iterator[pa.Array[Any]]:
    buffer = stream.read(_PIECE)
    head = _HEAD.match(buffer)
    if head is None or not is_utf8(head[0]):
        raise _NotPlain
    opening, buffer = head[0], buffer[head.end() :]
    keep_space = _keeps_space(opening)
    while True:
        chunk = stream.read(_PIECE)
        buffer += chunk
        end = buffer.rfind(_CLOSE) + len(_CLOSE)
        if end >= len(_CLOSE):
            yield _piece(buffer[:end], opening, keep_space, limits)
            buffer = buffer[end:]
        if not chunk:
            break
        if len(buffer) > limits.row_bytes:
            raise hostile(
                "A shared string is longer than the limit", f"at most {limits.row_bytes:,} bytes", "row_bytes"
            )
    if not re.fullmatch(rb"\s*</sst>\s*", buffer):
        raise _NotPlain


def _keeps_space(opening: bytes) -> bool:
    """Whether the part's root keeps the white space of all texts in it."""
    space = KeptSpace()
    XmlReader("the shared strings", start=lambda _, attributes: space.open(attributes)).feed(opening)
    return space.kept


def _piece(xml: bytes, opening: bytes, keep_space: bool, limits: Limits) -> pa.Array[Any]:
    try:
        one_value(xml).cast(pa.string())
    except pa.ArrowInvalid as error:
        raise _NotPlain from error
    if items_are_plain(xml):
        return _read_plain(xml, keep_space)
    try:
        return _exact(iter([opening, xml, b"</sst>"]), "the shared strings", limits)
    except WorkbookError as error:
        raise _NotPlain from error


def _read_plain(xml: bytes, keep_space: bool) -> pa.Array[Any]:
    data = np.frombuffer(xml, np.uint8)
    opens = np.flatnonzero(data == ord("<"))
    items = np.flatnonzero(data[opens + 1] == ord("t"))
    at, end = opens[items], opens[items + 1]
    preserve = data[at + 2] == ord(" ")
    text = slices(xml, at + len("<t>") + len(PRESERVE) * preserve, end).cast(pa.string())
    return settle_some(text, needs_settling(text), preserve | keep_space)


def _exact(chunks: Iterator[bytes], part: str, limits: Limits) -> pa.Array[Any]:
    parser = _ItemParser(part, limits.text_chars)
    for chunk in chunks:
        parser.feed(chunk)
    return texts(parser.close())


class _ItemParser:
    """An expat reader of ``si`` elements, however they are written."""

    def __init__(self, part: str, max_chars: int) -> None:
        self._max_chars = max_chars
        self._texts: list[str] = []
        self._item: TextItem | None = None
        self._space = KeptSpace()
        self._xml = XmlReader(part, start=self._start, end=self._end, data=self._data)

    def feed(self, data: bytes) -> None:
        self._xml.feed(data)

    def close(self) -> list[str]:
        self._xml.feed(b"", final=True)
        return self._texts

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = main_name(name)
        self._space.open(attributes)
        if tag == "si":
            self._item = TextItem(self._max_chars)
        elif self._item is not None:
            self._item.start(tag, self._space.kept)

    def _end(self, name: str) -> None:
        tag = main_name(name)
        self._space.close()
        if tag == "si" and self._item is not None:
            self._texts.append("".join(self._item.parts))
            self._item = None
        elif self._item is not None:
            self._item.end(tag)

    def _data(self, text: str) -> None:
        if self._item is not None:
            self._item.data(text)
