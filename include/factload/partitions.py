"""From a workbook to partition files: windows decoded in parallel, written as they come, counted twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from factload.sheet.cells import column_letters, row_out_of_order
from factload.sheet.columns import SheetField, TypedRows, schema
from factload.sheet.decode import Decoded
from factload.sheet.limits import MAX_ROWS, Limits
from factload.sheet.sheets import choose
from factload.sheet.source import SheetRows, open_source
from factload.sheet.windows import NotPlain
from factload.staging import StagingFile

MAX_PARTITIONS = 1_000  # Airflow maps at most 1,024 tasks by default
_OLD_MAX_ROWS = 65_536  # Excel 97-2003


@dataclass(frozen=True, slots=True)
class PartitionFile:
    """One finished partition: consecutive rows of one sheet in one Arrow IPC file, and what was counted.

    ``source`` rows carry a value, counted from the bytes; ``blank`` of them hold nothing in a mapped column;
    ``rows`` = ``source`` - ``blank`` are in the file, ``rejected`` of these with a reason.
    """

    partition_id: str
    label: str
    path: str
    sha256: str
    sheet: str
    first_row: int
    last_row: int
    source: int
    blank: int
    rejected: int
    rows: int


@dataclass(frozen=True, slots=True)
class Split:
    """All partitions of a workbook, in the order of the sheet, and what a person should know about it."""

    partitions: tuple[PartitionFile, ...]
    warnings: tuple[str, ...]

    @property
    def source(self) -> int:
        return sum(p.source for p in self.partitions)

    @property
    def blank(self) -> int:
        return sum(p.blank for p in self.partitions)

    @property
    def rejected(self) -> int:
        return sum(p.rejected for p in self.partitions)

    @property
    def rows(self) -> int:
        return sum(p.rows for p in self.partitions)


class _TooMany(Exception):
    """More partitions than a load may have."""


def split_workbook(
    path: Path,
    *,
    sheet: str | int,
    fields: Sequence[SheetField],
    workbook_sha256: str,
    folder: Path,
    rows_per_partition: int,
    threads: int = 2,
    limits: Limits = Limits(),  # noqa: B008  # frozen
    progress: Callable[[int], None] | None = None,
) -> Split:
    """Write the rows of one sheet below its header as partition files into ``folder``.

    ``rows_per_partition`` counts rows as the sheet writes them; the first partition begins right below the
    header, each other one right after its predecessor. Memory: ``threads`` + 2 windows, whatever the sheet's
    length. A file's schema metadata says of each field which column of the sheet it came from (``B``).
    ``progress(rows)`` is called with the rows done so far. Raises WorkbookError for what is wrong with
    the workbook, TransientError when the staging folder can't be written.
    """
    with open_source(path, limits) as source:
        rows = source.rows(choose(source.sheets, sheet), fields, threads)
        letters = {f.name: column_letters(index) for f, index in zip(fields, rows.placed, strict=True)}
        splitter = _Splitter(rows, schema(fields).with_metadata(letters), workbook_sha256, folder, progress)
        try:
            return splitter.run(rows_per_partition)
        except _TooMany:
            larger = -(-rows.most_rows() // MAX_PARTITIONS)
            done = splitter.run(larger)
            warning = (
                f"partitions hold {larger:,} rows instead of {rows_per_partition:,}: "
                f"there would be more than {MAX_PARTITIONS:,} otherwise"
            )
            return replace(done, warnings=(*done.warnings, warning))


@dataclass(frozen=True, slots=True)
class _Splitter:
    rows: SheetRows
    schema: pa.Schema
    workbook_sha256: str
    folder: Path
    progress: Callable[[int], None] | None

    def run(self, rows_per_partition: int) -> Split:
        try:
            return self._write(self.rows.pieces(rows_per_partition))
        except NotPlain:
            return self._write(self.rows.exactly(rows_per_partition))

    def _write(self, decoded: Iterator[Decoded]) -> Split:
        name, header_row = self.rows.name, self.rows.header.row
        writer = _Writer(name, self.schema, self.workbook_sha256, self.folder, header_row)
        done = 0
        try:
            for piece in decoded:
                writer.add(piece)
                done += piece.source
                if self.progress:
                    self.progress(done)
            writer.close_partition()
        finally:
            writer.discard()
        return Split(tuple(writer.partitions), _warnings(name, writer.last_row, done))


class _Writer:
    """Puts decoded pieces into partition files and keeps their counts."""

    def __init__(
        self, sheet: str, columns: pa.Schema, workbook_sha256: str, folder: Path, header_row: int
    ) -> None:
        self._sheet, self._schema, self._sha256, self._folder = sheet, columns, workbook_sha256, folder
        self.partitions: list[PartitionFile] = []
        self.last_row = header_row  # of what was written into pieces so far
        self._first_row = header_row + 1
        self._file: StagingFile | None = None
        self._source = self._blank = self._rejected = 0

    def add(self, piece: Decoded) -> None:
        if piece.first_row and piece.first_row <= self.last_row:
            raise row_out_of_order(piece.first_row, self.last_row)
        self.last_row = max(self.last_row, piece.last_row)
        rows: TypedRows = piece.rows
        self._source += piece.source
        self._blank += rows.blank
        self._rejected += rows.rejected
        if rows.batch.num_rows:
            self._open().write(rows.batch)
        if piece.ends_partition:
            self.close_partition()

    def close_partition(self) -> None:
        """End the partition at the last row seen; rows without any value open none of their own."""
        if not self._source:
            return
        if len(self.partitions) == MAX_PARTITIONS:
            raise _TooMany
        identity = f"{self._sha256}\n{self._sheet}\n{self._first_row}\n{self.last_row}"
        partition_id = hashlib.sha256(identity.encode()).hexdigest()[:32]
        path, sha256 = self._open().commit(f"{partition_id}.arrow")
        self._file = None
        self.partitions.append(
            PartitionFile(
                partition_id=partition_id,
                label=f"{self._sheet} {self._first_row}–{self.last_row}",  # a range
                path=str(path.absolute()),
                sha256=sha256,
                sheet=self._sheet,
                first_row=self._first_row,
                last_row=self.last_row,
                source=self._source,
                blank=self._blank,
                rejected=self._rejected,
                rows=self._source - self._blank,
            )
        )
        self._first_row = self.last_row + 1
        self._source = self._blank = self._rejected = 0

    def _open(self) -> StagingFile:
        if self._file is None:
            self._file = StagingFile(self._folder, self._schema)
        return self._file

    def discard(self) -> None:
        if self._file is not None:
            self._file.discard()


def _warnings(sheet: str, last_row: int, source: int) -> tuple[str, ...]:
    if last_row in (MAX_ROWS, _OLD_MAX_ROWS) and source > last_row // 2:
        return (f"sheet {sheet} has exactly {last_row:,} rows: probably cut off by the tool that wrote it",)
    return ()
