"""What the sheet looks like: its columns, and what the first rows hold in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path

from factload.errors import WorkbookError
from factload.feed.sql_types import SqlType
from factload.sheet.block import Kind
from factload.sheet.cells import Row
from factload.sheet.file_kind import is_named_csv
from factload.sheet.numbers import parse_decimal
from factload.sheet.sheets import SheetPart, choose
from factload.sheet.source import open_source
from factload.sheet.workbook import likely_header

_ROOM = 4  # digits left for bigger numbers than the first rows hold
_DECIMALS = 4
_AS_SHOWN = Context(prec=15)  # Excel shows 15 digits: a file's 71.98999999999999 was typed as 71.99
_A_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?")  # 00123 is a key
_A_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBERS = frozenset({Kind.NUMBER})
_DATES = frozenset({Kind.SERIAL, Kind.ISO_DATE})


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """One column below the header: ``samples`` are (kind, text) of its cells, blank ones left out.

    ``all_text``: the file knows nothing but text, as csv does, so that a text may be a number or a date.
    """

    header: str
    rows: int
    samples: tuple[tuple[Kind, str], ...]
    all_text: bool = False

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(kind for kind, _ in self.samples)

    @property
    def texts(self) -> tuple[str, ...]:
        """The distinct texts, in the order of the rows."""
        return tuple(dict.fromkeys(text for _, text in self.samples))

    @property
    def always_filled(self) -> bool:
        return self.rows > 0 and len(self.samples) == self.rows

    def type(self) -> SqlType:
        """The narrowest type that holds what was seen, with room: for a person to judge."""
        if self.samples and self.kinds <= _NUMBERS:
            return _number([_AS_SHOWN.plus(number) for number in _decimals(text for _, text in self.samples)])
        if self.samples and self.kinds <= _DATES:
            with_time = any("." in text or "T" in text for _, text in self.samples)
            return SqlType("timestamp" if with_time else "date")
        if self.kinds == {Kind.BOOLEAN}:
            return SqlType("boolean")
        return self._written() if self.all_text else SqlType("text")

    def _written(self) -> SqlType:
        if self.texts and all(_A_NUMBER.fullmatch(text) for text in self.texts):
            return _number(_decimals(self.texts))
        if self.texts and all(_A_DATE.fullmatch(text) for text in self.texts):
            return SqlType("date")
        return SqlType("text")


@dataclass(frozen=True, slots=True)
class SeenSheet:
    """The sheet that is looked at, and the others of the workbook."""

    name: str
    others: tuple[str, ...]
    columns: tuple[SeenColumn, ...]

    def column(self, header: str) -> SeenColumn:
        return next(c for c in self.columns if c.header == header)


def look_at_sheet(path: Path, sheet: str | None) -> SeenSheet:
    """The sheet called ``sheet``, else the first visible one with a header: its columns, and its first rows.

    Raises WorkbookError, ``header_unlikely`` when no row looks like a header.
    """
    with open_source(path) as source:
        cells = [s for s in source.sheets if s.kind == "worksheet"]
        for part in choose(source.sheets, sheet) if sheet else _visible_first(cells):
            if columns := _columns(source.first_rows(part), is_named_csv(path)):
                return SeenSheet(part.name, tuple(s.name for s in cells if s != part), columns)
    raise WorkbookError(
        "header_unlikely",
        f"No sheet of {path.name} has a row that looks like a header",
        expected="a row of two or more texts, one above each column",
        remedy="Write the names above the columns, or name the sheet with --sheet",
    )


def _visible_first(sheets: Sequence[SheetPart]) -> list[SheetPart]:
    return sorted(sheets, key=lambda s: s.state != "visible")


def _columns(rows: Sequence[Row], all_text: bool) -> tuple[SeenColumn, ...]:
    header = likely_header(rows)
    texts = {
        i
        for row in rows
        if header and row.number == header.row
        for i in row.cells
        if row.cells[i][0] == Kind.TEXT
    }
    if header is None or len(texts) < 2:
        return ()
    below = [row for row in rows if row.number > header.row and any(i in row.cells for i in header.names)]
    return tuple(
        SeenColumn(name, len(below), tuple(row.cells[index] for row in below if index in row.cells), all_text)
        for index, name in header.names.items()
    )


def _decimals(texts: Iterable[str]) -> list[Decimal]:
    return [number for text in texts if (number := parse_decimal(text)) is not None]


def _number(numbers: Sequence[Decimal]) -> SqlType:
    fractions = [-int(n.normalize().as_tuple().exponent) for n in numbers]
    whole = max((n.adjusted() + 1 for n in numbers if n), default=1)
    if max(fractions, default=0) <= 0:
        return SqlType("integer", bits=64) if whole < 18 else SqlType("numeric", precision=38, scale=0)
    scale = min(max(_DECIMALS, *fractions), 15)
    return SqlType("numeric", precision=min(38, max(18, whole + _ROOM + scale)), scale=scale)
