"""A csv file as a source: one sheet, named after the file, read by the fast path or the slow path."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import PurePath

import numpy as np

from factload.errors import WorkbookError
from factload.sheet.block import Block, Kind, empty_block
from factload.sheet.choices import CellChoices
from factload.sheet.columns import type_rows
from factload.sheet.csv.counting import count_valued
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.csv.fast_path import RAGGED_SHOWN, read_records
from factload.sheet.csv.misread import refuse_another_delimiter
from factload.sheet.csv.records import Records, RecordStream
from factload.sheet.csv.slow_path import Record, read_exactly
from factload.sheet.csv.stream import Utf8Stream, open_utf8
from factload.sheet.dates import GREGORIAN, Calendar
from factload.sheet.field import SheetField
from factload.sheet.file_errors import hostile
from factload.sheet.header import HEADER_WITHIN
from factload.sheet.left_out import left_out_rows
from factload.sheet.limits import MAX_COLUMNS, Limits
from factload.sheet.named_areas import no_areas
from factload.sheet.parallel_map import parallel_map
from factload.sheet.pieces import NO_MARKS, Cell, Decoded, NotPlain, Pieces, row_count_mismatch
from factload.sheet.placing import header_names, place_fields
from factload.sheet.ranges import NO_RANGES, Ranges
from factload.sheet.rows import Row, chosen, to_block, too_much_text
from factload.sheet.sheets import SheetPart
from factload.sheet.workbook_file import WorkbookFile

BLOCK_BYTES = 3 << 19
_EXACT_BATCH, _EXACT_BYTES = 10_000, 8 << 20  # records, and their bytes: Python objects, so few


class CsvSource:
    """A csv file. Its one sheet has the file's name without the ending."""

    def __init__(self, file: WorkbookFile, dialect: CsvDialect, limits: Limits, cells: CellChoices) -> None:
        self.file, self.dialect, self.limits, self.cells = file, dialect, limits, cells
        name = file.name.removesuffix(".gz")
        self.sheets = (SheetPart(PurePath(name).stem, "visible", file.name, "worksheet"),)

    @property
    def calendar(self) -> Calendar:
        return GREGORIAN

    def first_records(self) -> list[Record]:
        """The records that begin in the first lines, without their bytes. Raises WorkbookError."""
        records: list[Record] = []
        taken = 0
        with open_utf8(self.file, self.dialect, self.limits) as stream:
            for record in read_exactly(stream, self.dialect, self.limits):
                if record.line > HEADER_WITHIN:
                    break
                if len(record.fields) > MAX_COLUMNS:
                    raise hostile(
                        f"Line {record.line} has {len(record.fields):,} fields", f"at most {MAX_COLUMNS:,}"
                    )
                taken += len(record.raw)
                if taken > self.limits.window_text_bytes:
                    raise too_much_text(self.limits.window_text_bytes)
                records.append(replace(record, raw=b""))
        return records

    def first_rows(self, sheet: SheetPart) -> list[Row]:
        return [_row(record) for record in self.first_records()]

    def some_rows(
        self, sheet: SheetPart, wanted: Iterable[int], *, header_row: int, columns: Collection[int]
    ) -> Iterator[Row]:
        return chosen(self.all_rows(sheet, header_row=header_row, columns=columns), wanted)

    def all_rows(
        self, sheet: SheetPart, *, header_row: int = 0, columns: Collection[int] = ()
    ) -> Iterator[Row]:
        with open_utf8(self.file, self.dialect, self.limits) as stream:
            rows = map(_row, read_exactly(stream, self.dialect, self.limits))
            yield from (row for row in rows if row.cells)

    def cell(self, place: str) -> tuple[str, Cell]:
        raise no_areas()

    def ranges(self, sheet: SheetPart, row: int) -> Ranges:
        return NO_RANGES

    def is_empty(self, sheet: SheetPart) -> bool:
        return next(self.all_rows(sheet), None) is None

    def rows(self, sheet: SheetPart, fields: Sequence[SheetField], threads: int) -> CsvRows:
        return CsvRows(self, sheet, fields, threads)


class CsvRows:
    """The records below the header. A row's number is the line where its record begins."""

    def __init__(
        self, source: CsvSource, sheet: SheetPart, fields: Sequence[SheetField], threads: int
    ) -> None:
        self.name, self._source, self._threads = sheet.name, source, threads
        self.warnings: Sequence[str] = ()
        # A csv file holds texts alone: the declared types are read from them.
        texts = [replace(field, parse_text=True) for field in fields]
        try:
            records = source.first_records()
            rows = [_row(record) for record in records]
            self.placing = place_fields(rows, texts, sheet.name, source.cells.unpivot)
        except WorkbookError as error:
            if error.code in ("header_missing", "csv_quotes"):
                refuse_another_delimiter(
                    source.file, header_names(fields, source.cells.unpivot), source.dialect, source.limits
                )
            raise
        self.header = self.placing.header
        self.leaves = left_out_rows(source.cells.rows, self.header, sheet.name, None)
        header = next(record for record in records if record.line == self.header.row)
        self._width, self._header_lines = len(header.fields), header.last_line
        watched = self.leaves.columns if self.leaves else ()
        self._columns = sorted(
            {*self.placing.columns, *(column for column in watched if column <= self._width)}
        )

    @property
    def unclear(self) -> Mapping[int, str]:
        return {}

    def look_ahead(self) -> None:
        """Nothing after the rows changes how they are read."""

    def pieces(self, rows_per_partition: int) -> Pieces:
        source = self._source
        with open_utf8(source.file, source.dialect, source.limits) as stream:
            records = RecordStream(
                stream,
                source.dialect,
                skip_lines=self._header_lines,
                rows_per_partition=rows_per_partition,
                block_bytes=BLOCK_BYTES,
                row_bytes=source.limits.row_bytes,
            )
            yield from parallel_map(self._decode, records, self._threads)
            self._note_encoding(stream)

    def _decode(self, records: Records) -> Decoded:
        source = self._source
        if not records.data.strip(b"\r\n"):  # a bomb of empty lines is soon through
            nothing = replace(empty_block(self._columns), last_row=records.line + len(records.ends) - 1)
            return self._decoded(nothing, 0, ends_partition=records.ends_partition)
        block = read_records(records, self._columns, self._width, source.dialect, source.limits.text_chars)
        counted = count_valued(records.data, source.dialect)
        if counted != len(block):
            raise NotPlain
        return self._decoded(block, counted, ends_partition=records.ends_partition)

    def exactly(self, rows_per_partition: int) -> Pieces:
        source = self._source
        with open_utf8(source.file, source.dialect, source.limits) as stream:
            below = (
                r for r in read_exactly(stream, source.dialect, source.limits) if r.line > self.header.row
            )
            while partition := _some(below, rows_per_partition):
                left = rows_per_partition - len(partition)
                while left > 0 and (more := _some(below, left)):
                    yield self._exact_piece(partition, ends_partition=False)
                    partition, left = more, left - len(more)
                yield self._exact_piece(partition, ends_partition=True)
            self._note_encoding(stream)

    def _note_encoding(self, stream: Utf8Stream) -> None:
        if stream.may_be_utf8:
            self.warnings = (
                f"{self._source.file.name!r} can be read as UTF-8, too, and the feed declares "
                f"{self._source.dialect.encoding}: if letters of its texts look wrong, correct `workbook.csv.encoding`",
            )

    def _exact_piece(self, records: Sequence[Record], *, ends_partition: bool) -> Decoded:
        rows = [_row(record) for record in records]
        raws = (record.raw if record.raw.endswith(b"\n") else record.raw + b"\n" for record in records)
        counted = count_valued(b"".join(raws), self._source.dialect)
        if counted != sum(row.valued for row in rows):
            raise row_count_mismatch(self.name, records[0].line)
        valued_rows = [(record, row) for record, row in zip(records, rows, strict=True) if row.valued]
        ragged = {
            i: record.raw[: 4 * RAGGED_SHOWN].decode("utf-8", "ignore").rstrip("\r\n")[:RAGGED_SHOWN]
            for i, (record, _) in enumerate(valued_rows)
            if len(record.fields) != self._width
        }
        for i in ragged:
            valued_rows[i][1].cells.clear()
        block = to_block([row for _, row in valued_rows], self._columns, rows[-1].number)
        last = np.array([record.last_line for record, _ in valued_rows], np.int32)
        return self._decoded(
            replace(block, ragged=ragged, last_lines=last), counted, ends_partition=ends_partition
        )

    def _decoded(self, block: Block, source: int, *, ends_partition: bool) -> Decoded:
        rows = type_rows(block, self.placing, calendar=GREGORIAN)
        first = int(block.row[0]) if len(block) else block.last_row
        marks = self.leaves.marks(block, rows, self._fields_of) if self.leaves else NO_MARKS
        return Decoded(rows, source * self.placing.rows_of_one, first, block.last_row, ends_partition, marks)

    def _fields_of(self, record: str) -> list[str]:
        """The fields of a record that has not as many as the header, as far as its text is kept."""
        dialect = self._source.dialect
        if not dialect.quote:
            fields = record.split(dialect.delimiter)
        else:
            try:
                fields = next(csv.reader([record], delimiter=dialect.delimiter, quotechar=dialect.quote), [])
            except csv.Error:  # a line end outside of quotes
                return []
        return fields if len(record) < RAGGED_SHOWN else fields[:-1]  # the last one may be cut


def _some(records: Iterator[Record], most: int) -> list[Record]:
    """The next records: some thousands, fewer where they are long."""
    taken: list[Record] = []
    size = 0
    for record in islice(records, min(most, _EXACT_BATCH)):
        taken.append(record)
        size += len(record.raw)
        if size > _EXACT_BYTES:
            break
    return taken


def _row(record: Record) -> Row:
    cells = {i: (Kind.TEXT, text) for i, text in enumerate(record.fields, 1) if text}
    return Row(record.line, bool(cells), cells)
