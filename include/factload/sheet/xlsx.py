"""An .xlsx or .xlsm workbook as a source: its sheets by windows, decoded side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from factload.sheet.cells import Row
from factload.sheet.decode import Pieces, SheetDecoder
from factload.sheet.field import SheetField
from factload.sheet.in_order import in_order
from factload.sheet.limits import Limits
from factload.sheet.merged import merged_cells
from factload.sheet.package import Package, open_package
from factload.sheet.sheets import SheetPart
from factload.sheet.strings import load_strings
from factload.sheet.strings_table import SharedStrings
from factload.sheet.windows import Windows
from factload.sheet.workbook import Header, find_header, first_rows, place_columns, valued_rows

WINDOW_BYTES = 4 << 20  # half as much again where more than a few columns are mapped: rows are longer there
_FEW_COLUMNS = 5
WINDOW_PLACES = 1 << 19  # rows × mapped columns: every one takes memory, filled or not


class XlsxSource:
    """An open workbook; its shared strings are read once, when first asked for."""

    def __init__(self, package: Package, limits: Limits) -> None:
        self.package, self.limits = package, limits

    @property
    def sheets(self) -> Sequence[SheetPart]:
        return self.package.sheets

    @property
    def date1904(self) -> bool:
        return self.package.date1904

    @cached_property
    def strings(self) -> SharedStrings:
        """The workbook's shared strings."""
        return load_strings(self.package, self.limits)

    def first_rows(self, sheet: SheetPart) -> list[Row]:
        return first_rows(self.package, sheet, self.strings, self.limits)

    def all_rows(self, sheet: SheetPart) -> Iterator[Row]:
        return valued_rows(self.package, sheet, self.strings, self.limits)

    def is_empty(self, sheet: SheetPart) -> bool:
        return next(self.all_rows(sheet), None) is None

    def rows(self, sheet: SheetPart, fields: Sequence[SheetField], threads: int) -> XlsxRows:
        return XlsxRows(self, sheet, fields, threads)


class XlsxRows:
    """One sheet, by windows over its XML."""

    def __init__(
        self, source: XlsxSource, sheet: SheetPart, fields: Sequence[SheetField], threads: int
    ) -> None:
        self._package, self._limits, self._sheet, self._threads = (
            source.package,
            source.limits,
            sheet,
            threads,
        )
        self.fields = fields
        names = [field.column for field in fields]
        self.header: Header = find_header(
            source.first_rows(sheet),
            names,
            sheet.name,
            lambda row: merged_cells(source.package, sheet, row, source.limits),
        )
        self.placed = place_columns(self.header, names, sheet.name)
        self._merged: Sequence[str] = ()
        self._decoder = SheetDecoder(
            sheet.part, fields, self.placed, source.strings, source.package, source.limits
        )

    @property
    def name(self) -> str:
        return self._sheet.name

    def merged(self) -> Sequence[str]:
        return self._merged

    def pieces(self, rows_per_partition: int) -> Pieces:
        with self._package.open_part(self._sheet.part, self._limits.sheet_bytes) as stream:
            windows = Windows(
                stream,
                skip_to_row=self.header.row,
                rows_per_partition=rows_per_partition,
                rows_per_window=max(1, WINDOW_PLACES // len(self.placed)),
                window_bytes=WINDOW_BYTES * 3 // 2 if len(self.placed) > _FEW_COLUMNS else WINDOW_BYTES,
                row_bytes=self._limits.row_bytes,
            )
            yield from in_order(
                lambda window: self._decoder.window(window, windows.head, windows.keep_space),
                windows,
                self._threads,
            )
            self._merged = windows.merged

    def exactly(self, rows_per_partition: int) -> Pieces:
        yield from self._decoder.exactly(self.header.row, rows_per_partition)
        self._merged = merged_cells(self._package, self._sheet, self.header.row, self._limits)


@contextmanager
def open_xlsx(path: Path, limits: Limits) -> Iterator[XlsxSource]:
    """The workbook at ``path``, open for reading. Raises WorkbookError as ``open_package`` does."""
    with open_package(path, limits) as package:
        yield XlsxSource(package, limits)
