"""Rejected rows as a workbook for whoever can correct them: their own columns, and what is wrong with which cell.

The rows are read again from the workbooks they are in, as long as those are there with the same bytes; else the
ledger's own words are all there is. Corrected, the workbook is what ``factload replay LOAD --workbook`` takes: the
columns of ``identity`` say which row of the load each row stands for, and what it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby, tee
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from sqlalchemy.engine import Connection

from factload.corrections.identity import ADDED, IDENTITY, PROOF, SAID, proof_of
from factload.corrections.same_rows import chains_of, corrections_of, rows_of
from factload.corrections.shown_cells import Shown, show
from factload.errors import FactloadError, WorkbookError
from factload.feed.model import Feed
from factload.ledger.corrections import Correction, read_corrections
from factload.ledger.opening import newest_load
from factload.ledger.rejects import read_rejects
from factload.load import Load, SourceFile
from factload.sheet.block import Kind
from factload.sheet.field import SheetField
from factload.sheet.references import column_index
from factload.sheet.reject import Reject
from factload.sheet.rows import Row
from factload.sheet.sheets import choose
from factload.sheet.source import Source, open_source, placing_of
from factload.split.fields import sheet_fields
from factload.split.sources import openable, require_unchanged

_LISTED = ("workbook", "sheet", "row", "cell", "column", "value", "reason", "what it means")
_MARK = PatternFill("solid", fgColor="FFC7CE")
_COMMENTS = 10_000  # each is a shape of its own in the file
_TITLE = 31  # characters of a sheet's name: Excel's limit
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\]")
_READ_AS_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NOTHING = (Kind.BLANK, "")
_FORMATS = {"moment": "yyyy-mm-dd hh:mm:ss", "time": "[h]:mm:ss"}


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows were written, and what a person should know about them.

    ``whole``: every row has all its columns, so that a replay takes the workbook; else some are a list.
    """

    rows: int
    notes: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not self.notes


def write_rejects(file: IO[bytes], connection: Connection, feed: Feed, load_id: str) -> Written:
    """Write the rejects of a load's newest attempt as a workbook into ``file``: a sheet for each sheet that has any.

    Rows that were corrected before are written as they were corrected last. Memory does not grow with the rows. Every
    text is stored as text: what looks like a formula is never computed.
    """
    load = newest_load(connection, load_id)
    taken = read_corrections(connection, load_id)
    known = {source.path: source for source in load.sources}
    rejects = read_rejects(connection, load_id)
    book = Workbook(write_only=True)
    rows, notes = 0, []
    for (workbook, name), group in groupby(rejects, lambda reject: (reject.workbook, reject.sheet)):
        sheet = _Sheet(book, name)
        try:
            plain = feed.at(load.period_date)
            source = known.get(workbook) or (load.sources[0] if len(load.sources) == 1 else None)
            if source is None:
                raise WorkbookError("workbook_missing", f"the workbook {workbook} is no longer known")
            require_unchanged(source)
        except FactloadError as error:
            notes.append(
                f"sheet {name} is a list of what the ledger has, which can't be replayed: {error.seen}"
            )
            rows += sheet.listed(group)
            continue
        rows += sheet.whole(group, load, source, corrections_of(source, load.sources, taken), plain)
    if not book.worksheets:
        book.create_sheet("rejects")
    book.save(file)
    return Written(rows, tuple(notes))


class _Sheet:
    """One sheet of the workbook that is written."""

    def __init__(self, book: Workbook, name: str) -> None:
        title = _NOT_IN_TITLES.sub("_", name)[: _TITLE - 3]
        taken = {sheet.title.casefold() for sheet in book.worksheets}
        names = (title, *(f"{title} {i}" for i in range(2, 1_001)))
        self._sheet: Any = book.create_sheet(next(n for n in names if n.casefold() not in taken))
        self._sheet.freeze_panes = "A2"
        self._comments = 0

    def listed(self, rejects: Iterable[Reject]) -> int:
        """A row for each of ``rejects``, as the ledger has it; how many."""
        self._header(_LISTED)
        count = 0
        for reject in rejects:
            self._sheet.append([*self._identity(reject), *map(self._text, reject.told)])
            count += 1
        return count

    def whole(
        self,
        rejects: Iterator[Reject],
        load: Load,
        source: SourceFile,
        corrections: Sequence[Correction],
        feed: Feed,
    ) -> int:
        """The whole row that each of ``rejects`` stands for, out of its workbook; how many."""
        count = 0
        fields, workbook = sheet_fields(feed), feed.workbook
        with open_source(openable(source), csv=workbook.csv_dialect, cells=workbook.cells) as opened:
            first = next(rejects)
            [part] = choose(opened.sheets, first.sheet)
            header = placing_of(opened, part, fields).header
            # A workbook of rejects that is a load's own has our columns already: they are written anew.
            own = {i: name for i, name in header.names.items() if name not in ADDED}
            last = max(own)
            self._hide_proof(last + len(IDENTITY) + len(SAID))
            self._header([*(own.get(i, "") for i in range(1, last + 1)), *IDENTITY, *SAID, *PROOF])
            for of_row, row in _together(
                chain([first], rejects), opened, part.name, fields, source, corrections
            ):
                reject = of_row[0]
                cells = [
                    shown_cell(
                        self._sheet,
                        show(*row.cells.get(index, _NOTHING), date1904=opened.calendar.date1904),
                    )
                    for index in range(1, last + 1)
                ]
                for each in {one.cell: one for one in of_row}.values():
                    self._mark(cells, each)
                said = (_once(each.reason for each in of_row), _once(map(_meaning, of_row)))
                digest = proof_of(load.load_id, reject.workbook, source.sha256, reject.sheet, row)
                proof = (load.load_id, source.sha256, digest)
                added = [*self._identity(reject), *map(self._text, (*said, *proof))]
                self._sheet.append([*cells, *added])
                count += 1
        return count

    def _hide_proof(self, after: int) -> None:
        for index in range(after + 1, after + len(PROOF) + 1):
            self._sheet.column_dimensions[get_column_letter(index)].hidden = True

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

    def _text(self, text: str) -> Any:
        return shown_cell(self._sheet, show(Kind.TEXT, text, date1904=False))


def _once(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _meaning(reject: Reject) -> str:
    """The reason in plain words. Where a row's fields can't be told apart, the cells don't show all of its text."""
    ragged = reject.reason == "ragged_row" and reject.raw
    return f"{reject.explanation}: {reject.raw}" if ragged else reject.explanation


def shown_cell(sheet: Any, shown: Shown) -> Any:
    """The cell of a workbook that is written which shows this."""
    value = shown.value
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, _READ_AS_ESCAPE.sub("_x005F_", value))
        cell.data_type = "e" if shown.what == "error" else "s"
        return cell
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return _formatted(WriteOnlyCell(sheet, value), "yyyy-mm-dd")
    cell = WriteOnlyCell(sheet, value)
    return _formatted(cell, _FORMATS[shown.what]) if shown.what in _FORMATS else cell


def _formatted(cell: Any, number_format: str) -> Any:
    cell.number_format = number_format
    return cell


def _together(
    rejects: Iterable[Reject],
    opened: Source,
    sheet: str,
    fields: Sequence[SheetField],
    source: SourceFile,
    corrections: Sequence[Correction],
) -> Iterator[tuple[list[Reject], Row]]:
    """The rejects of each row, of which there is more than one only where columns become rows, and the row as it was
    corrected last; both come in the order of their row numbers."""
    ahead, behind = tee(list(of_row) for _, of_row in groupby(rejects, lambda reject: reject.row))
    chains = chains_of(opened, sheet, fields, source, corrections)
    rows = rows_of(opened, sheet, fields, (of_row[0].row for of_row in ahead), chains)
    return zip(behind, (row.now for row in rows), strict=True)
