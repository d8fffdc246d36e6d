"""A workbook of any kind, opened: its sheets, and each sheet's rows as typed pieces.

No other module knows kinds of files: all others see sheets, columns and :class:`Decoded` pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from factload.sheet.calamine.source import CalamineSource
from factload.sheet.choices import USUAL, CellChoices
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.csv.source import CsvSource
from factload.sheet.dates import Calendar
from factload.sheet.field import SheetField
from factload.sheet.file_kind import (
    Contents,
    is_csv,
    is_named_csv,
    is_ods,
    is_xls,
    is_xlsb,
    no_workbook,
)
from factload.sheet.header import Header, likely_header
from factload.sheet.left_out import LeftOutRows
from factload.sheet.limits import Limits
from factload.sheet.named_areas import no_areas
from factload.sheet.pieces import Cell, NotPlain, Pieces, ReadAgain
from factload.sheet.placing import Placing, place_fields
from factload.sheet.ranges import Ranges
from factload.sheet.rows import Row
from factload.sheet.sheets import SheetPart
from factload.sheet.workbook_file import Openable, WorkbookFile, opened
from factload.sheet.xlsx.source import open_xlsx

Taken = TypeVar("Taken")


class SheetRows(Protocol):
    """One sheet, its header found: where each field stands, and the rows below the header."""

    @property
    def name(self) -> str: ...
    @property
    def header(self) -> Header: ...
    @property
    def placing(self) -> Placing:
        """The fields as this kind of file is read, and the column of each."""

    def pieces(self, rows_per_partition: int) -> Pieces:
        """The rows below the header. Raises NotPlain when only :meth:`exactly`, begun anew, can read them; ReadAgain
        when this, begun anew, knows more of them."""

    def exactly(self, rows_per_partition: int) -> Pieces:
        """The same by the slow path, which never raises NotPlain."""

    def look_ahead(self) -> None:
        """Prepare for a reader that passes pieces on: what stands after the rows and changes how they are read is known
        then, so that ``pieces`` doesn't raise ReadAgain, and pieces are small."""

    @property
    def leaves(self) -> LeftOutRows | None:
        """Which of the rows are no data; None: all are."""

    @property
    def warnings(self) -> Sequence[str]:
        """What a person should know of the rows, once all pieces are read."""

    @property
    def unclear(self) -> Mapping[int, str]:
        """The columns whose name is merged across columns, such as ``B1:C1``, so that which of them holds the values
        can't be told; known once all pieces are read."""


class Source(Protocol):
    """An open workbook. ``sheets`` in its own order, those without cells too."""

    @property
    def sheets(self) -> Sequence[SheetPart]: ...
    @property
    def calendar(self) -> Calendar:
        """What its dates count from."""

    @property
    def cells(self) -> CellChoices:
        """Which of its cells are read, and how."""

    def first_rows(self, sheet: SheetPart) -> list[Row]:
        """The rows in which a header is looked for."""

    def all_rows(
        self, sheet: SheetPart, *, header_row: int = 0, columns: Collection[int] = ()
    ) -> Iterator[Row]:
        """Every row with any content, one after another, by the slow path.

        Below ``header_row`` the cells in ``columns`` are what :meth:`rows` takes them for; others as they stand.
        """

    def some_rows(
        self, sheet: SheetPart, wanted: Iterable[int], *, header_row: int, columns: Collection[int]
    ) -> Iterator[Row]:
        """Those of :meth:`all_rows` that have the ``wanted`` numbers, which ascend: quicker where they are few."""

    def cell(self, place: str) -> tuple[str, Cell]:
        """Where a cell stands (``Cover!B3``), and what it holds. ``place``: that, or the workbook's name for it.

        Raises WorkbookError ``range_missing``, ``range_unfit``, ``sheet_missing``, ``excel_table_missing``.
        """

    def ranges(self, sheet: SheetPart, row: int) -> Ranges:
        """The merged ranges that reach a row, or rows below it, as far as the kind of file tells."""

    def is_empty(self, sheet: SheetPart) -> bool:
        """Whether no cell of the sheet holds anything."""

    def rows(self, sheet: SheetPart, fields: Sequence[SheetField], threads: int) -> SheetRows:
        """Find the header of a sheet. Raises WorkbookError ``header_missing`` or ``header_duplicate``."""


def placing_of(source: Source, sheet: SheetPart, fields: Sequence[SheetField]) -> Placing:
    """Where a sheet has the fields, whatever its kind. Raises as ``place_fields`` does."""
    return place_fields(
        source.first_rows(sheet),
        fields,
        sheet.name,
        source.cells.unpivot,
        calendar=source.calendar,
        ranges=partial(source.ranges, sheet),
    )


def read_rows(rows: SheetRows, rows_per_partition: int, take: Callable[[Pieces], Taken]) -> Taken:
    """The result of ``take`` over the rows of a sheet, without those that are no data; it is called again if they must
    be read in another way."""

    try:
        return take(settled(rows, rows.pieces(rows_per_partition)))
    except ReadAgain:
        return read_rows(rows, rows_per_partition, take)  # once: nothing is left that they don't know
    except NotPlain:
        return take(settled(rows, rows.exactly(rows_per_partition)))


def settled(rows: SheetRows, pieces: Pieces) -> Pieces:
    """The pieces of a sheet without its rows that are no data."""
    return rows.leaves.settled(pieces) if rows.leaves else pieces


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """One sheet: its name, whether it is hidden, and the row that looks like its header."""

    name: str
    state: str
    header: Header | None


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read. ``csv``: how it is written if it is a csv file; ``cells``: what becomes of cells that can be
    read two ways."""

    limits: Limits
    csv: CsvDialect | None
    cells: CellChoices


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: whether a file's contents are of it, and how such a file is opened. Both raise WorkbookError."""

    name: str
    recognises: Callable[[Contents], bool]
    open: Callable[[WorkbookFile, Reading], AbstractContextManager[Source]]


def _csv(file: WorkbookFile, how: Reading) -> AbstractContextManager[Source]:
    if how.cells.area is not None:
        raise no_areas()
    return nullcontext(CsvSource(file, how.csv or CsvDialect(), how.limits, how.cells))


def _xlsx(file: WorkbookFile, how: Reading) -> AbstractContextManager[Source]:
    return open_xlsx(file, how.limits, how.cells)


def _calamine(ending: str, file: WorkbookFile, how: Reading) -> AbstractContextManager[Source]:
    return nullcontext(CalamineSource(file, ending, how.limits, how.cells))


# The first that recognises a file opens it. A zip archive that is of no other kind is taken for .xlsx, whose reader
# says what it lacks.
FORMATS = (
    Format("ods", is_ods, partial(_calamine, ".ods")),
    Format("xlsb", is_xlsb, partial(_calamine, ".xlsb")),
    Format("xlsx", lambda contents: contents.is_zip, _xlsx),
    Format("xls", is_xls, partial(_calamine, ".xls")),
    Format("csv", is_csv, _csv),
)


@contextmanager
def open_source(
    path: Openable,
    limits: Limits | None = None,
    csv: CsvDialect | None = None,
    cells: CellChoices = USUAL,
) -> Iterator[Source]:
    """The file at ``path``, of whatever kind its bytes are; ``csv`` says how it is written if it is a csv file.

    It is opened once. A file named ``.csv`` or ``.csv.gz`` may be one without that. ``cells``: what becomes of cells
    that can be read two ways. ``limits`` are the environment's unless given.
    Raises WorkbookError, FeedError for a limit that is no number.
    """
    limits = limits or Limits.from_environment()
    with opened(path) as file:
        contents = Contents(
            file, may_be_csv=csv is not None or is_named_csv(file.name), max_members=limits.members
        )
        with format_of(contents).open(file, Reading(limits, csv, cells)) as source:
            yield source


def format_of(contents: Contents) -> Format:
    """The kind of a file. Raises WorkbookError for one that is of none."""
    found = next((each for each in FORMATS if each.recognises(contents)), None)
    if found is None:
        raise no_workbook(contents)
    return found


def inspect(
    path: Openable,
    limits: Limits | None = None,
    csv: CsvDialect | None = None,
) -> tuple[SheetInfo, ...]:
    """Every sheet of cells with the row that most looks like a header. Raises WorkbookError."""
    with open_source(path, limits, csv) as source:
        return tuple(
            SheetInfo(sheet.name, sheet.state, likely_header(source.first_rows(sheet), source.calendar))
            for sheet in source.sheets
            if sheet.kind == "worksheet"
        )
