"""Rejected rows as a workbook for whoever can correct them: their own columns, and what is wrong with which cell.

The rows are read again from the workbooks they stand in, as long as those are there with the same bytes; else the
ledger's own words are all there is. Corrected, the workbook is what ``factload replay LOAD --workbook`` takes: the
columns named in ``IDENTITY`` say which row of the load each row stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils.exceptions import IllegalCharacterError

from factload.errors import FactloadError, WorkbookError
from factload.ledger.rejects import IDENTITY, Reject
from factload.sheet.block import Kind
from factload.sheet.cells import Row, column_index
from factload.sheet.dates import iso_micros, serial_millis
from factload.sheet.delimited.dialect import CsvDialect
from factload.sheet.numbers import parse_decimal
from factload.sheet.sheets import choose
from factload.sheet.source import Source, open_source
from factload.sheet.unstorable import as_escaped
from factload.sheet.workbook import find_header
from factload.split.sources import SourceFile, require_unchanged

_SAID = ("factload reason", "what it means")
_LISTED = ("workbook", "sheet", "row", "cell", "column", "value", "reason", "what it means")
_MARK = PatternFill("solid", fgColor="FFC7CE")
_COMMENTS = 10_000  # each is a shape of its own in the file
_TITLE = 31  # characters of a sheet's name: Excel's limit
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\]")


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows were written, and what a person should know about them."""

    rows: int
    notes: tuple[str, ...]


def write_rejects(
    path: Path,
    rejects: Iterable[Reject],
    *,
    columns: Sequence[str],
    sources: Sequence[SourceFile],
    csv: CsvDialect | None = None,
) -> Written:
    """Write a new workbook at ``path``, a sheet for each sheet that has ``rejects`` (in the order of their rows).

    ``columns``: the sheet's columns that the feed reads, ``sources``: the load's workbooks, ``csv``: as of
    ``open_source``. Memory does not grow with the rows. Every text is stored as text: what looks like a formula is
    never computed.
    """
    book = Workbook(write_only=True)
    known = {source.path: source for source in sources}
    rows, notes = 0, []
    for (workbook, name), group in groupby(rejects, lambda reject: (reject.workbook, reject.sheet)):
        sheet = _Sheet(book, name)
        try:
            source = known.get(workbook) or (sources[0] if len(sources) == 1 else None)
            if source is None:
                raise WorkbookError("workbook_missing", f"the workbook {workbook} is not known any more")
            require_unchanged(source)
        except FactloadError as error:
            notes.append(f"sheet {name} holds only what the ledger has, not the whole rows: {error.seen}")
            source = None
        rows += sheet.write(group, source, columns, csv)
    if not book.worksheets:
        book.create_sheet("rejects")
    book.save(path)
    return Written(rows, tuple(notes))


def write_list(path: Path, rejects: Iterator[Reject]) -> int:
    """Write what the ledger has of ``rejects`` to a new workbook at ``path``, a row each; how many."""
    book = Workbook(write_only=True)
    rows = _Sheet(book, "rejects").write(rejects, None)
    book.save(path)
    return rows


class _Sheet:
    """One sheet of the workbook that is written."""

    def __init__(self, book: Workbook, name: str) -> None:
        title = _NOT_IN_TITLES.sub("_", name)[: _TITLE - 3]
        taken = {sheet.title.casefold() for sheet in book.worksheets}
        names = (title, *(f"{title} {i}" for i in range(2, 1_001)))
        self._sheet: Any = book.create_sheet(next(n for n in names if n.casefold() not in taken))
        self._sheet.freeze_panes = "A2"
        self._comments = 0

    def write(
        self,
        rejects: Iterator[Reject],
        source: SourceFile | None,
        columns: Sequence[str] = (),
        csv: CsvDialect | None = None,
    ) -> int:
        """A row for each of ``rejects``, whole where there is a ``source`` to read it from; how many."""
        return self._whole(rejects, source, columns, csv) if source else self._listed(rejects)

    def _listed(self, rejects: Iterable[Reject]) -> int:
        self._header(_LISTED)
        count = 0
        for reject in rejects:
            said = (reject.address, reject.column, reject.raw, reject.reason, reject.explanation)
            self._sheet.append([*self._identity(reject), *(self._text(text or "") for text in said)])
            count += 1
        return count

    def _whole(
        self, rejects: Iterator[Reject], source: SourceFile, columns: Sequence[str], csv: CsvDialect | None
    ) -> int:
        count = 0
        with open_source(source.file, csv=csv) as opened:
            first = next(rejects)
            [part] = choose(opened.sheets, first.sheet)
            header = find_header(opened.first_rows(part), columns, part.name)
            # A corrected workbook has our columns already: they are written anew.
            own = {i: name for i, name in header.names.items() if name not in (*IDENTITY, *_SAID)}
            last = max(own)
            self._header([*(own.get(i, "") for i in range(1, last + 1)), *IDENTITY, *_SAID])
            for reject, row in _together(_chain(first, rejects), opened.all_rows(part)):
                cells = [self._cell(opened, row, index) for index in range(1, last + 1)]
                self._mark(cells, reject)
                said = (self._text(reject.reason), self._text(reject.explanation))
                self._sheet.append([*cells, *self._identity(reject), *said])
                count += 1
        return count

    def _header(self, names: Sequence[str]) -> None:
        cells = [self._text(name) for name in names]
        for cell in cells:
            cell.font = Font(bold=True)
        self._sheet.append(cells)

    def _identity(self, reject: Reject) -> list[Any]:
        return [self._text(reject.workbook), self._text(reject.sheet), reject.row]

    def _mark(self, cells: Sequence[Any], reject: Reject) -> None:
        letters = (reject.cell or "").rstrip("0123456789")
        if not letters or column_index(letters) > len(cells):
            return
        cell = cells[column_index(letters) - 1]
        cell.fill = _MARK
        self._comments += 1
        if self._comments <= _COMMENTS:
            cell.comment = Comment(reject.explanation, "factload")

    def _cell(self, source: Source, row: Row, index: int) -> Any:
        kind, text = row.cells.get(index, (Kind.BLANK, ""))
        number = parse_decimal(text) if kind in (Kind.NUMBER, Kind.SERIAL) else None
        if kind == Kind.NUMBER and number is not None:
            return WriteOnlyCell(self._sheet, _number(number))
        if kind == Kind.BOOLEAN:
            return WriteOnlyCell(self._sheet, text == "1")
        millis = serial_millis(number, date1904=source.date1904) if number is not None else None
        micros = millis * 1000 if millis is not None else iso_micros(text) if kind == Kind.ISO_DATE else None
        if micros is not None:
            return WriteOnlyCell(self._sheet, datetime(1970, 1, 1) + timedelta(microseconds=micros))
        return self._text(as_escaped(text))

    def _text(self, value: str) -> Any:
        try:
            cell = WriteOnlyCell(self._sheet, value or None)
        except IllegalCharacterError:
            # Control characters can't stand in a workbook's XML; shown escaped they can.
            cell = WriteOnlyCell(self._sheet, value.encode("unicode_escape").decode("ascii"))
        if value:
            cell.data_type = "s"
        return cell


def _number(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() and abs(number) < 10**15 else float(number)


def _chain(first: Reject, rest: Iterator[Reject]) -> Iterator[Reject]:
    yield first
    yield from rest


def _together(rejects: Iterable[Reject], rows: Iterator[Row]) -> Iterator[tuple[Reject, Row]]:
    """Each reject with its row; both come in the order of their row numbers."""
    row = Row(0)
    for reject in rejects:
        while row.number < reject.row:
            row = next(rows, Row(reject.row))
        yield reject, row
