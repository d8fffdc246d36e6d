"""An .xlsx or .xlsm workbook as a source: its sheets by windows, decoded side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial

from factload.errors import WorkbookError
from factload.sheet.block import Kind
from factload.sheet.choices import CellChoices
from factload.sheet.dates import Calendar
from factload.sheet.field import SheetField
from factload.sheet.header import HEADER_WITHIN
from factload.sheet.inflate import Stream
from factload.sheet.left_out import left_out_rows
from factload.sheet.limits import MAX_ROWS, Limits
from factload.sheet.merged import MergedCells, is_hidden
from factload.sheet.parallel_map import parallel_map
from factload.sheet.pieces import Cell, NotPlain, Pieces, ReadAgain
from factload.sheet.placing import place_fields
from factload.sheet.ranges import Ranges
from factload.sheet.references import column_letters, range_of
from factload.sheet.rows import Row, bounded, chosen
from factload.sheet.seen import seen_in
from factload.sheet.sheets import SheetPart
from factload.sheet.workbook_file import WorkbookFile
from factload.sheet.xlsx.areas import named_areas
from factload.sheet.xlsx.decode import FOOT, SheetDecoder
from factload.sheet.xlsx.first_rows import first_rows, valued_rows
from factload.sheet.xlsx.package import Package, open_package
from factload.sheet.xlsx.picked import Wanted, picked_rows
from factload.sheet.xlsx.slow_path import SheetParser, iterate
from factload.sheet.xlsx.strings import load_strings
from factload.sheet.xlsx.strings_table import SharedStrings
from factload.sheet.xlsx.tail import NO_TAIL, Tail, read_tail
from factload.sheet.xlsx.windows import Windows

WINDOW_BYTES = 4 << 20  # half as much again where more than a few columns are mapped: rows are longer there
_FEW_COLUMNS = 5
STREAM_BYTES = 3 << 19  # of a window where another program holds some of the rows too
WINDOW_PLACES = 1 << 19  # rows × mapped columns: every one takes memory, filled or not


class XlsxSource:
    """An open workbook; its shared strings are read once, when first asked for."""

    def __init__(self, package: Package, limits: Limits, cells: CellChoices) -> None:
        self.package, self.limits, self.cells = package, limits, cells

    @cached_property
    def sheets(self) -> Sequence[SheetPart]:
        if self.cells.area is None:
            return self.package.sheets
        return (named_areas(self.package).chosen(self.cells.area),)

    @property
    def calendar(self) -> Calendar:
        return self.package.calendar

    @property
    def rejects_stale(self) -> bool:
        """Whether a formula whose saved value is out of date makes its row a reject."""
        return self.cells.stale_formulas == "reject"

    @property
    def stale(self) -> bool:
        """Whether all formulas of the workbook are such."""
        return self.package.stale and self.rejects_stale

    @cached_property
    def strings(self) -> SharedStrings:
        """The workbook's shared strings."""
        return load_strings(self.package, self.limits)

    def first_rows(self, sheet: SheetPart) -> list[Row]:
        if sheet.area is not None:
            return list(sheet.area.within(self._one_row(sheet, sheet.area.top)))
        rows = first_rows(self.package, sheet, self.strings, self.limits, stale=self.stale)
        return list(bounded(rows, self.limits.window_text_bytes))

    def _one_row(self, sheet: SheetPart, number: int, tail: Tail = NO_TAIL) -> list[Row]:
        """The row of this number, if it is written; nothing that follows it is looked at. ``tail``: what is known of it
        all the same."""
        if number > HEADER_WITHIN:
            with suppress(NotPlain):
                return [row for rows in self._picked(sheet, Wanted([number]), 0, tail) for row in rows]
        stale = self.stale or (tail.stale and self.rejects_stale)
        rows = first_rows(self.package, sheet, self.strings, self.limits, stale=stale, last=number)
        return [row for row in rows if row.number == number]

    def all_rows(
        self, sheet: SheetPart, *, header_row: int = 0, columns: Collection[int] = ()
    ) -> Iterator[Row]:
        tail = read_tail(self.package, sheet.part, header_row, self.limits) if columns else None
        merged = self.merged(tail, header_row, columns) if tail else None
        rows = valued_rows(
            self.package,
            sheet,
            self.strings,
            self.limits,
            stale=self.stale or (tail is not None and tail.stale and self.rejects_stale),
            spread=columns,
        )
        found = (row for row in (merged.settled(rows) if merged else rows) if row.cells)
        yield from sheet.area.within(found) if sheet.area else found

    def some_rows(
        self, sheet: SheetPart, wanted: Iterable[int], *, header_row: int, columns: Collection[int]
    ) -> Iterator[Row]:
        numbers = Wanted(wanted)
        tail = read_tail(self.package, sheet.part, header_row, self.limits)
        if not self.merged(tail, header_row, columns):
            try:
                for rows in self._picked(sheet, numbers, header_row, tail):
                    picked = (row for row in rows if row.valued and row.cells)
                    yield from sheet.area.within(picked) if sheet.area else picked
            except (NotPlain, WorkbookError):
                pass  # reading all rows tells what they hold, or what is wrong with them
            else:
                return
        every = self.all_rows(sheet, header_row=header_row, columns=columns)
        yield from chosen(every, numbers.not_found_yet())

    def _picked(self, sheet: SheetPart, wanted: Wanted, header_row: int, tail: Tail) -> Iterator[list[Row]]:
        def parse(rows: bytes) -> list[Row]:
            parser = SheetParser(
                sheet.part,
                self.strings,
                self.package.date_styles,
                max_chars=self.limits.text_chars,
                max_text_bytes=self.limits.window_text_bytes,
                need_numbers=True,
                stale=self.stale or (tail.stale and self.rejects_stale),
            )
            return list(bounded(iterate(parser, [windows.head, rows, FOOT]), self.limits.window_text_bytes))

        with self.package.open_part(sheet.part, self.limits.sheet_bytes) as stream:
            windows = Windows(
                stream,
                skip_to_row=header_row,
                rows_per_partition=MAX_ROWS,
                rows_per_window=MAX_ROWS,
                window_bytes=WINDOW_BYTES,
                limits=self.limits,
            )
            yield from picked_rows(windows, wanted, parse)

    def cell(self, place: str) -> tuple[str, Cell]:
        part, row, column = named_areas(self.package).cell(place)
        tail = read_tail(self.package, part.part, 0, self.limits)
        at = f"{part.name}!{column_letters(column)}{row}"
        if is_hidden(tail.merged, row, column):
            return at, (Kind.MERGED, "")
        rows = self._one_row(part, row, tail)
        return at, rows[0].cells.get(column, (Kind.BLANK, "")) if rows else (Kind.BLANK, "")

    def ranges(self, sheet: SheetPart, row: int) -> Ranges:
        return read_tail(self.package, sheet.part, row, self.limits).merged

    def is_empty(self, sheet: SheetPart) -> bool:
        return next(self.all_rows(sheet), None) is None

    def rows(self, sheet: SheetPart, fields: Sequence[SheetField], threads: int) -> XlsxRows:
        return XlsxRows(self, sheet, fields, threads)

    def merged(self, tail: Tail, header_row: int, placed: Collection[int]) -> MergedCells | None:
        """What the merged ranges of a sheet change in these columns; None for nothing."""
        shown = partial(seen_in, calendar=self.calendar)
        cells = MergedCells(tail.merged, header_row, placed, self.cells.merged, self.limits, shown)
        return cells if cells.matter else None


class XlsxRows:
    """One sheet, by windows over its XML.

    What stands after the rows is known only when they are read. Where it changes what they say, which is rare, they
    are read anew.
    """

    def __init__(
        self, source: XlsxSource, sheet: SheetPart, fields: Sequence[SheetField], threads: int
    ) -> None:
        self._source, self._sheet, self._threads = source, sheet, threads
        self.placing = place_fields(
            source.first_rows(sheet),
            fields,
            sheet.name,
            source.cells.unpivot,
            self._merged_in,
            ranges=partial(source.ranges, sheet),
            calendar=source.calendar,
            place=sheet.area.place if sheet.area else "",
        )
        self.header = self.placing.header
        self.leaves = left_out_rows(source.cells.rows, self.header, sheet.name, sheet.area)
        self._last_row = sheet.area.bottom if sheet.area else MAX_ROWS
        self._window_bytes = (
            WINDOW_BYTES * 3 // 2 if len(self.placing.columns) > _FEW_COLUMNS else WINDOW_BYTES
        )
        self._tail: Tail | None = None
        self.unclear: Mapping[int, str] = {}
        self.warnings: Sequence[str] = ()

    @property
    def name(self) -> str:
        return self._sheet.name

    def pieces(self, rows_per_partition: int) -> Pieces:
        limits, known = self._source.limits, self._tail
        merged = self._merged(known) if known else None
        decoder = self._decoder(known, merged)
        with self._source.package.open_part(self._sheet.part, limits.sheet_bytes) as stream:
            made = self.placing.rows_of_one * len(self.placing.fields)  # values, of one row of the sheet
            windows = self._windows(stream, rows_per_partition, max(len(decoder.columns), made))
            yield from parallel_map(
                lambda window: decoder.window(window, windows.head, windows.keep_space),
                windows,
                1 if merged else self._threads,
            )
            self._tail = windows.tail
        self._note_following(bool(windows.next_row) and decoder.follows(windows.head, windows.next_row))
        if known is None and (self._merged(self._tail) or self._makes_stale(self._tail)):
            raise ReadAgain
        self.unclear = merged.unclear if merged else {}

    def _windows(self, stream: Stream, rows_per_partition: int, values: int) -> Windows:
        return Windows(
            stream,
            skip_to_row=self.header.row,
            last_row=self._last_row,
            rows_per_partition=rows_per_partition,
            rows_per_window=max(1, WINDOW_PLACES // values),
            window_bytes=self._window_bytes,
            limits=self._source.limits,
        )

    def look_ahead(self) -> None:
        source, limits = self._source, self._source.limits
        self._window_bytes = min(self._window_bytes, STREAM_BYTES)
        try:
            with source.package.open_part(self._sheet.part, limits.sheet_bytes) as stream:
                windows = self._windows(stream, MAX_ROWS, 1)
                for _ in windows:
                    pass  # nothing is decoded: what follows the rows begins where they end
                self._tail = windows.tail
        except NotPlain:
            self._tail = read_tail(source.package, self._sheet.part, self.header.row, limits)

    def exactly(self, rows_per_partition: int) -> Pieces:
        source = self._source
        tail = read_tail(source.package, self._sheet.part, self.header.row, source.limits)
        merged = self._merged(tail)
        decoder = self._decoder(tail, merged)
        yield from decoder.exactly(self.header.row, self._last_row, rows_per_partition)
        self._note_following(decoder.followed)
        self.unclear = merged.unclear if merged else {}

    def _note_following(self, followed: bool) -> None:
        """What goes on below a range may be data that it has not grown with; below a table it is none."""
        area = self._sheet.area
        if followed and area is not None and not area.table:
            self.warnings = (
                f"the {area.title} ends at row {area.bottom:,} of sheet {self.name!r}, and the row below it has "
                "something in its columns: is the range too short?",
            )

    def _merged(self, tail: Tail) -> MergedCells | None:
        if self._sheet.area is not None:
            self._sheet.area.require_uncut(tail.merged, self.name)
        return self._source.merged(tail, self.header.row, self.placing.columns)

    def _makes_stale(self, tail: Tail) -> bool:
        return tail.stale and self._source.rejects_stale and not self._source.stale

    def _decoder(self, tail: Tail | None, merged: MergedCells | None) -> SheetDecoder:
        source = self._source
        return SheetDecoder(
            self._sheet.part,
            self.placing,
            source.strings,
            source.package,
            source.limits,
            stale=source.stale or (tail is not None and self._makes_stale(tail)),
            merged=merged,
            leaves=self.leaves,
        )

    def _merged_in(self, row: int) -> list[str]:
        """The merged ranges that touch a row, such as ``A3:C3``: for errors only."""
        merged = self._source.ranges(self._sheet, row)
        return [range_of(*map(int, one)) for one in merged[merged[:, 0] <= row]]


@contextmanager
def open_xlsx(file: WorkbookFile, limits: Limits, cells: CellChoices) -> Iterator[XlsxSource]:
    """The workbook in ``file``, open for reading. Raises WorkbookError as ``open_package`` does."""
    with open_package(file, limits) as package:
        yield XlsxSource(package, limits, cells)
