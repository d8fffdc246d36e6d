"""The slow path, which is exact: the specification of what a sheet's XML says, one cell at a time.

It reads every legal way of writing a sheet: any prefix, Strict or Transitional, with or without ``r``, CDATA,
comments, rich text. It is slow, so it reads what ``fast_path`` refuses: a header, a single row, or a whole sheet.
Sources: ECMA-376 part 1, 18.3.1.4 (c), 18.3.1.73 (row), 18.4.8 (si), 22.9.2.19 (_xHHHH_).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from factload.sheet.block import Kind
from factload.sheet.file_errors import damaged, hostile
from factload.sheet.limits import MAX_COLUMNS, MAX_ROWS
from factload.sheet.references import column_index, column_letters
from factload.sheet.rows import Row, _size, row_out_of_order, too_much_text
from factload.sheet.xlsx.character_data import XML_SPACE, KeptSpace, TextItem, settle_text
from factload.sheet.xlsx.spread import Spread
from factload.sheet.xlsx.xml_parts import main_name
from factload.sheet.xml_reader import XmlReader

_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_SIMPLE = {"b": Kind.BOOLEAN, "e": Kind.ERROR, "d": Kind.ISO_DATE}


class Strings(Protocol):
    """The workbook's shared strings, by position."""

    def __len__(self) -> int: ...
    def text(self, index: int) -> str: ...


class SheetParser:
    """Feed it a sheet's XML, get rows back as they close. Errors are WorkbookError.

    ``part``: the name that errors show; ``strings``: the shared strings; ``date_styles``: cell style → the kind
    that it shows a number as. ``after_row``: the number of the last row before the XML. ``only``: the columns whose
    cells are kept (None: all); ``spread``: the columns whose cells may be filled by formulas of others.
    ``max_chars`` bounds one text, ``max_text_bytes`` the texts of the rows that one ``feed`` returns.
    ``need_numbers``: refuse rows without ``r``. ``stale``: the values of formulas are out of date.
    """

    def __init__(
        self,
        part: str,
        strings: Strings,
        date_styles: Mapping[int, Kind],
        *,
        after_row: int = 0,
        only: Collection[int] | None = None,
        spread: Collection[int] = (),
        max_chars: int = 1 << 20,
        max_text_bytes: int = 1 << 28,
        need_numbers: bool = False,
        stale: bool = False,
    ) -> None:
        self._part, self._strings, self._date_styles = part, strings, date_styles
        self._last_row, self._only, self._max_chars = after_row, only, max_chars
        self._need_numbers, self._max_text_bytes, self._stale = need_numbers, max_text_bytes, stale
        self._row_bytes = self._done_bytes = 0  # of text: in the open row, in those that `feed` will give
        self._done: list[Row] = []
        self._row: Row | None = None
        self._column = 0
        self._cell: dict[str, str] | None = None
        self._inline: TextItem | None = None
        self._value: list[str] | None = None  # character data of v, when there was one
        self._formula: list[str] | None = None
        self._array = ""  # the range that the cell's formula fills
        self._spread = Spread(only or spread)
        self._into: list[str] | None = None
        self._into_chars = 0
        self._space = KeptSpace()
        self._keep_space = False
        self._xml = XmlReader(part, start=self._start, end=self._end, data=self._data)

    def feed(self, data: bytes, *, final: bool = False) -> list[Row]:
        """The rows that closed within ``data``."""
        self._xml.feed(data, final=final)
        rows, self._done, self._done_bytes = self._done, [], 0
        return rows

    @property
    def spreads(self) -> bool:
        """Whether a formula without a value of its own, or with a stale one, fills other cells too."""
        return self._spread.any

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = main_name(name)
        self._space.open(attributes)
        if tag == "row":
            self._open_row(attributes)
        elif self._row is None:
            return
        elif tag == "c":
            self._open_cell(attributes)
        elif self._cell is None:
            return
        elif self._inline is not None:
            self._inline.start(tag, self._space.kept)
        elif tag == "is":
            self._inline = TextItem(self._max_chars)
        elif tag == "v":
            self._into, self._into_chars = [], 0
            self._value = self._into
            self._keep_space = self._space.kept
        elif tag == "f":
            self._into, self._into_chars = [], 0
            self._formula = self._into
            fills = attributes.get("t") in ("array", "dataTable")
            self._array = attributes.get("ref", "") if fills else ""

    def _end(self, name: str) -> None:
        tag = main_name(name)
        self._space.close()
        if tag == "row" and self._row is not None:
            self._spread.settle(self._row, stale=self._stale)
            self._done.append(self._row)
            self._done_bytes, self._row_bytes = self._done_bytes + self._row_bytes, 0
            self._row = None
        elif tag == "c" and self._cell is not None:
            self._close_cell(self._cell)
            self._cell = self._inline = self._value = self._formula = None
        elif self._inline is not None and tag != "is":
            self._inline.end(tag)
        elif tag in ("v", "f"):
            self._into = None

    def _data(self, text: str) -> None:
        if self._into is not None:
            self._into_chars += len(text)
            if self._into_chars > self._max_chars:
                raise hostile(
                    "A cell's text is longer than the limit",
                    f"at most {self._max_chars:,} characters",
                    "text_chars",
                )
            self._into.append(text)
        elif self._inline is not None:
            self._inline.data(text)

    def _open_row(self, attributes: dict[str, str]) -> None:
        written = attributes.get("r")
        if written is not None and not (written.strip().isdecimal() and len(written) < 10):
            raise damaged(f"{self._part} has a row whose number can't be read, after row {self._last_row:,}")
        if written is None and self._need_numbers:
            raise damaged(f"{self._part} has a row without a number")
        number = self._last_row + 1 if written is None else int(written)
        if not 1 <= number <= MAX_ROWS:
            raise damaged(f"{self._part} has a row {number:,}; a sheet ends at {MAX_ROWS:,}")
        if number <= self._last_row:
            raise row_out_of_order(number, self._last_row)
        self._last_row, self._column = number, 0
        self._row = Row(number)

    def _open_cell(self, attributes: dict[str, str]) -> None:
        assert self._row is not None  # noqa: S101  # the caller's branch
        self._cell = attributes
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        else:
            match = _REFERENCE.fullmatch(reference.strip())
            if match is None or int(match[2]) != self._row.number:
                raise damaged(
                    f"{self._part} has a cell in row {self._row.number:,} that claims another place"
                )
            self._column = column_index(match[1])
        if not 1 <= self._column <= MAX_COLUMNS:
            raise damaged(f"{self._part} has a cell right of column XFD, in row {self._row.number:,}")
        if self._column in self._row.cells:
            raise damaged(f"{self._part} has cell {column_letters(self._column)}{self._row.number} twice")

    def _close_cell(self, attributes: dict[str, str]) -> None:
        row = self._row
        assert row is not None  # noqa: S101
        written = "".join(self._value) if self._value is not None else ""
        has_inline = self._inline is not None and self._inline.size > 0
        filled = bool(written) or has_inline
        kind_name = attributes.get("t", "n")
        formula = None if self._formula is None else "=" + "".join(self._formula)
        if formula is not None and (self._stale or not filled):
            self._spread.note(self._array, formula)
        if formula is not None and not filled and (self._value is None or kind_name != "str"):
            row.valued = True
            row.cells[self._column] = (Kind.NO_VALUE, formula)
            return
        is_stale = formula is not None and self._stale
        if not (filled or is_stale):
            return
        row.valued = True
        if self._only is not None and self._column not in self._only:
            return
        kind, text = self._typed(kind_name, written, attributes)
        if is_stale and kind != Kind.ERROR:
            kind = Kind.STALE
        if kind is not Kind.BLANK:
            row.cells[self._column] = (kind, text)
            self._row_bytes += _size(text)
            if (
                self._row_bytes + self._done_bytes > self._max_text_bytes
            ):  # many may name one long shared string
                raise too_much_text(self._max_text_bytes)

    def _typed(self, name: str, written: str, attributes: dict[str, str]) -> tuple[Kind, str]:
        inline = "".join(self._inline.parts) if self._inline is not None else ""
        if name == "inlineStr":
            return _text(inline or settle_text(written, self._keep_space))
        if inline:
            return Kind.AMBIGUOUS, inline
        if name == "s":
            return _text(self._shared(written))
        if name == "str":
            return _text(settle_text(written, self._keep_space))
        value = written.strip(XML_SPACE)
        if name == "b":
            value = {"true": "1", "false": "0"}.get(value.lower(), value)
        if name == "n" or name in _SIMPLE:
            return (self._plain_kind(name, attributes) if value else Kind.BLANK), value
        assert self._row is not None  # noqa: S101
        raise damaged(f"{self._part} has a cell of an unknown type, in row {self._row.number:,}")

    def _plain_kind(self, name: str, attributes: dict[str, str]) -> Kind:
        if name != "n":
            return Kind.RICH if name == "e" and "vm" in attributes else _SIMPLE[name]
        style = attributes.get("s", "")
        return self._date_styles.get(int(style) if style.isdecimal() and len(style) < 10 else -1, Kind.NUMBER)

    def _shared(self, written: str) -> str:
        position = written.strip(XML_SPACE)
        if not (position.isdecimal() and len(position) < 10 and int(position) < len(self._strings)):
            assert self._row is not None  # noqa: S101
            raise damaged(f"{self._part} names a shared string that isn't there, in row {self._row.number:,}")
        return self._strings.text(int(position))


def _text(text: str) -> tuple[Kind, str]:
    return (Kind.TEXT if text else Kind.BLANK), text


def iterate(parser: SheetParser, chunks: Iterable[bytes]) -> Iterator[Row]:
    """All rows of a part that arrives in chunks."""
    for chunk in chunks:
        yield from parser.feed(chunk)
    yield from parser.feed(b"", final=True)
