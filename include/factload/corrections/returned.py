"""A rejects workbook that came back: which of its rows and cells a person changed.

Its rows may stand in any order, some may be gone, and another program may have saved it as another kind of file. They
are laid out by load, workbook and row in a temporary SQLite database, so that memory does not grow with them, and
compared with the rows as the load's own workbooks hold them. A cell that still shows what was written there is
left to the load's workbook: nothing is lost that a rejects workbook can't hold.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn

from factload.corrections.identity import ADDED, IDENTITY, PROOF
from factload.corrections.partitions import listed
from factload.corrections.shown_cells import Saved
from factload.errors import RowsRefused, WorkbookError
from factload.load import Load
from factload.sheet.block import Kind
from factload.sheet.calamine.source import CalamineSource
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.csv.source import CsvSource
from factload.sheet.file_kind import is_named_csv
from factload.sheet.header import Header, best_header, columns_named
from factload.sheet.names import ColumnName, spellings
from factload.sheet.numbers import parse_decimal
from factload.sheet.rows import Row
from factload.sheet.sheets import SheetPart
from factload.sheet.source import Source, open_source
from factload.sheet.workbook_file import Openable

_NEWEST = "the newest `factload rejects LOAD --xlsx` of this load, with its cells corrected"
_ANEW = "Nothing was loaded. Write the workbook anew with `factload rejects {} --xlsx`, and correct that one"


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """A row that came back. ``place``: its sheet and row there; ``cells``: column's name → kind and text, in order."""

    workbook: str
    workbook_sha256: str
    sheet: str
    row: int
    digest: str
    place: str
    cells: Sequence[tuple[str, Kind, str]]


@contextmanager
def returned_rows(
    path: Openable, name: str, load: Load, wanted: Sequence[ColumnName], csv: CsvDialect | None
) -> Iterator[Returned]:
    """The rows of the workbook at ``path``, called ``name``; ``wanted``: the columns that the feed reads.

    Raises ``RowsRefused`` for rows that don't say which row of ``load`` they stand for, or of which two stand for the
    same; ``WorkbookError`` for a workbook that is none of rejects, or can't be read.
    """
    with closing(sqlite3.connect("")) as store:
        store.execute(
            "CREATE TABLE returned (workbook_sha256, workbook, sheet, row INTEGER, digest, place, cells, "
            "PRIMARY KEY (workbook_sha256, sheet, row))"
        )
        returned = Returned(store, name, load)
        with open_source(path, csv=_dialect(path, csv) if is_named_csv(path.name) else None) as opened:
            returned.saved = Saved(
                opened.calendar.date1904, isinstance(opened, CsvSource), isinstance(opened, CalamineSource)
            )
            for part in opened.sheets:
                if part.kind == "worksheet":
                    returned.add_sheet(opened, part, wanted)
        returned.require_rows()
        yield returned


def _dialect(path: Openable, own: CsvDialect | None) -> CsvDialect:
    """How a csv file that came back is written: as the feed's own are, or as programs do in one country or another.

    Not a guess: in one way alone its header holds the columns that factload added.
    """
    ways = (own or CsvDialect(), CsvDialect(), CsvDialect(delimiter=";"), CsvDialect(delimiter="\t"))
    for way in ways:
        with suppress(WorkbookError), open_source(path, csv=way) as opened:
            header = best_header(opened.first_rows(opened.sheets[0]), IDENTITY)
            if header is not None and all(columns_named(header, name) for name in IDENTITY):
                return way
    return ways[0]


class Returned:
    """The rows of a rejects workbook that came back, in the order of the load's own workbooks."""

    def __init__(self, store: sqlite3.Connection, name: str, load: Load) -> None:
        self._store, self.name, self._load = store, name, load
        self._nameless: list[str] = []
        self._twice: list[str] = []
        self._others: set[str] = set()
        self._sheets = 0
        self.saved = Saved()
        self.notes: list[str] = []

    def add_sheet(self, opened: Source, part: SheetPart, wanted: Sequence[ColumnName]) -> None:
        """Take the rows of one sheet; one without any of the columns that factload adds is left out, and noted."""
        header = best_header(opened.first_rows(part), (*IDENTITY, *PROOF))
        there = {name for name in (*IDENTITY, *PROOF) if header is not None and columns_named(header, name)}
        if header is None or not there:
            if not opened.is_empty(part):
                self.notes.append(f"sheet {part.name} of {self.name} was left out: it holds no rejected rows")
            return
        if part.state != "visible":
            self.notes.append(f"sheet {part.name} of {self.name} was left out: it is hidden")
            return
        self._require_columns(header, part.name, there, wanted)
        self._sheets += 1
        for row in opened.all_rows(part, header_row=header.row, columns=header.names):
            if row.number > header.row:
                self._add_row(header, part.name, row)

    def _require_columns(
        self, header: Header, sheet: str, there: set[str], wanted: Sequence[ColumnName]
    ) -> None:
        missing = [n for n in (*IDENTITY, *PROOF, *wanted) if not columns_named(header, n)]
        if not missing:
            return
        if there == set(IDENTITY) and set(PROOF) <= set(missing):
            seen = (
                f"{self.name} was written by an older factload: its rows don't say of which delivery they are"
            )
        else:
            seen = f"sheet {sheet} of {self.name} has no column {', '.join(map(_told, missing))}"
        raise WorkbookError(
            "corrections_refused", seen, expected=_NEWEST, remedy=_ANEW.format(self._load.load_id)
        )

    def _add_row(self, header: Header, sheet: str, row: Row) -> None:
        texts = {name: row.cells.get(columns_named(header, name)[0]) for name in (*IDENTITY, *PROOF)}
        own = [
            (name, *row.cells.get(index, (Kind.BLANK, "")))
            for index, name in header.names.items()
            if name not in ADDED
        ]
        place = f"{sheet} row {row.number}"
        number = _row_number(texts[IDENTITY[2]])
        if number is None or None in texts.values():
            if any(text.strip() for _, _, text in own) or any(texts.values()):
                self._nameless.append(place)
            return
        said = {name: cell[1] for name, cell in texts.items() if cell}
        if said[PROOF[0]] != self._load.load_id:
            self._others.add(said[PROOF[0]])
            return
        cells = json.dumps([(name, int(kind), text) for name, kind, text in own])
        try:
            self._store.execute(
                "INSERT INTO returned VALUES (?, ?, ?, ?, ?, ?, ?)",
                (said[PROOF[1]], said[IDENTITY[0]], said[IDENTITY[1]], number, said[PROOF[2]], place, cells),
            )
        except sqlite3.IntegrityError:
            self._twice.append(place)

    def require_rows(self) -> None:
        """Raise for what is wrong with the rows by themselves."""
        if not self._sheets:
            raise WorkbookError(
                "corrections_refused",
                f"{self.name} is not a rejects workbook: no visible sheet has the columns "
                + ", ".join(map(repr, IDENTITY)),
                expected=_NEWEST,
                remedy=_ANEW.format(self._load.load_id),
            )
        if self._others:
            self.refuse(
                f"{self.name} holds rows of {listed(sorted(self._others))}, not of {self._load.load_id}"
            )
        if self._nameless:
            self.refuse(
                f"{len(self._nameless)} rows of {self.name} don't say which row they stand for",
                self._nameless,
            )
        if self._twice:
            self.refuse(f"{len(self._twice)} rows stand in {self.name} more than once", self._twice)

    def sheets(self) -> list[tuple[str, str]]:
        """(SHA-256 of the load's workbook, sheet) of all rows."""
        query = "SELECT DISTINCT workbook_sha256, sheet FROM returned ORDER BY 1, 2"
        return list(self._store.execute(query))

    def rows(self, workbook_sha256: str, sheet: str) -> Iterator[ReturnedRow]:
        """The rows that stand for rows of one sheet, in its order."""
        query = "SELECT * FROM returned WHERE workbook_sha256 = ? AND sheet = ? ORDER BY row"
        for sha256, workbook, name, row, digest, place, cells in self._store.execute(
            query, (workbook_sha256, sheet)
        ):
            own = [(column, Kind(kind), text) for column, kind, text in json.loads(cells)]
            yield ReturnedRow(workbook, sha256, name, row, digest, place, own)

    def refuse(self, seen: str, rows: Sequence[str] = ()) -> NoReturn:
        """Raise ``RowsRefused`` that names the rows."""
        raise RowsRefused(
            "corrections_refused",
            f"{seen}{': ' if rows else ''}{listed(rows)}",
            expected=_NEWEST,
            remedy=_ANEW.format(self._load.load_id),
        )


def _told(column: ColumnName) -> str:
    return " or ".join(map(repr, spellings(column)))


def _row_number(cell: tuple[Kind, str] | None) -> int | None:
    number = parse_decimal(cell[1].strip()) if cell else None
    return int(number) if number is not None and number == int(number) and 0 < number < 1 << 31 else None
