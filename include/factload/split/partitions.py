"""From a workbook to partition files: windows decoded in parallel, written as they come, counted twice."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Self

import pyarrow as pa

from factload.load import PartitionFile, Split, WitnessCell
from factload.memory import save_memory
from factload.sheet.choices import USUAL, CellChoices
from factload.sheet.columns import TypedRows, schema
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.field import SheetField
from factload.sheet.limits import MAX_ROWS, Limits
from factload.sheet.merged import merged_headers
from factload.sheet.names import ColumnName
from factload.sheet.pieces import Decoded, Pieces
from factload.sheet.references import column_letters
from factload.sheet.rows import row_out_of_order
from factload.sheet.sheets import EVERY, SheetChoice, choose
from factload.sheet.source import SheetRows, open_source, read_rows
from factload.sheet.workbook_file import Openable
from factload.split.places import places
from factload.staging.files import StagingFile
from factload.staging.store import Place

MAX_PARTITIONS = 1_000  # Airflow maps at most 1,024 tasks by default
_OLD_MAX_ROWS = 65_536  # Excel 97-2003


class TooManyPartitions(Exception):  # control flow: caught by the caller, never shown
    """More partitions than a load may have: larger ones are needed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from: the workbook as the project names it, its digest, and its name on labels (none: "")."""

    workbook: str
    sha256: str
    label: str = ""


def split_workbook(
    path: Openable,
    origin: Origin,
    *,
    sheet: SheetChoice,
    fields: Sequence[SheetField],
    place: Place,
    rows_per_partition: int,
    most: int = MAX_PARTITIONS,
    threads: int = 2,
    limits: Limits | None = None,
    csv: CsvDialect | None = None,
    cells: CellChoices = USUAL,
    progress: Callable[[int], None] | None = None,
) -> Split:
    """Write the rows of one workbook's chosen sheets, below their headers, as partition files into ``place``.

    ``origin``: the workbook's name and digest; ``sheet``: which sheets are meant; ``fields``: what is read of each row;
    ``csv``: how a csv file is declared; ``cells``: how ambiguous cells are read; ``limits``: default the environment's.

    ``rows_per_partition`` counts rows as the sheet writes them; the first partition of a sheet begins right below
    its header, each other one right after its predecessor. Memory: ``threads`` + 2 windows, whatever the sheets'
    lengths. A file's schema metadata says of each field which column of the sheet it came from (``places``).
    ``progress(rows)`` is called with the rows done so far. Raises WorkbookError for what is wrong with the
    workbook, TransientError when staging can't be written, TooManyPartitions above ``most``.
    """
    save_memory()
    with open_source(path, limits, csv, cells) as source:
        done = Split((), ())
        for part in choose(source.sheets, sheet):
            if sheet == EVERY and source.is_empty(part):
                done = replace(done, warnings=(*done.warnings, left_out(origin, part.name)))
                continue
            splitter = _Splitter(
                rows=source.rows(part, fields, threads),
                origin=origin,
                place=place,
                most=most - len(done.partitions),
                progress=after(done.source, progress),
                watched=cells.rows.watched,
            )
            done = joined([done, splitter.run(rows_per_partition)])
        return done


def file_name(partition_id: str) -> str:
    """The name of a partition's file, but for the digest of its content."""
    return f"{partition_id}.{{sha256}}.arrow"


def rewritten(partition: PartitionFile, rows: pa.Table, place: Place) -> PartitionFile:
    """The partition with these rows in the place of its own, in a file of its own in ``place``."""
    file = StagingFile(place, rows.schema)
    try:
        for batch in rows.to_batches():
            file.write(batch)
        path, sha256 = file.commit(file_name(partition.partition_id))
    finally:
        file.discard()
    return replace(
        partition,
        path=path,
        sha256=sha256,
        blank=partition.source - sum(partition.left_out.values()) - rows.num_rows,
        rejected=rows.num_rows - rows["reason"].null_count,
        rows=rows.num_rows,
    )


def joined(splits: Iterable[Split]) -> Split:
    """Several splits as one, in their order."""
    found = tuple(splits)
    return Split(
        tuple(p for split in found for p in split.partitions),
        tuple(w for split in found for w in split.warnings),
        tuple(d for split in found for d in split.defects),
        tuple(t for split in found for t in split.totals),
    )


def after(rows: int, progress: Callable[[int], None] | None) -> Callable[[int], None] | None:
    """``progress`` for what comes after so many rows."""
    return (lambda done: progress(rows + done)) if progress else None


@dataclass(frozen=True, slots=True)
class _Splitter:
    """One sheet to be split."""

    rows: SheetRows
    origin: Origin
    place: Place
    most: int
    progress: Callable[[int], None] | None
    watched: Sequence[ColumnName | int]

    def run(self, rows_per_partition: int) -> Split:
        sheet_rows = max(1, rows_per_partition // self.rows.placing.rows_of_one)
        return read_rows(self.rows, sheet_rows, self._write)

    def _write(self, decoded: Pieces) -> Split:
        name, header, placing = self.rows.name, self.rows.header, self.rows.placing
        columns = schema(placing.fields, by_cells=placing.pivot is not None).with_metadata(places(placing))
        done = 0
        with (
            closing(decoded),
            _Writer(self.origin, name, columns, self.place, header.row, self.most) as writer,
        ):
            for piece in decoded:
                writer.add(piece)
                done += piece.source
                if self.progress:
                    self.progress(done)
            partitions = writer.finished()
        return Split(
            partitions,
            (*_warnings(_sheet_of(self.origin, name), writer.last_row, done), *self._told()),
            (
                *merged_headers(header.names, self.rows.unclear, name),
                *(self.rows.leaves.defects() if self.rows.leaves else ()),
            ),
            tuple(self._total(nth, asked) for nth, asked in enumerate(self.watched)),
        )

    def _told(self) -> list[str]:
        """What the reader says of the rows."""
        of = f"{self.origin.label}: " if self.origin.label else ""
        told = [*self.rows.warnings]
        if pivot := self.rows.placing.pivot:
            told.append(f"sheet {self.rows.name} is counted by cells: {len(pivot):,} columns become rows")
        return [f"{of}{warning}" for warning in told]

    def _total(self, nth: int, asked: ColumnName | int) -> WitnessCell:
        """The cell of the sheet's row of totals that is asked for as the ``nth``."""
        leaves, name = self.rows.leaves, self.rows.name
        workbook = self.origin.workbook if self.origin.label else ""
        column = leaves.watched_columns[nth] if leaves else 0
        found = leaves.watched(column) if leaves else None
        if leaves is None or found is None:
            problem = f"sheet {name!r} has no row of totals"
            return WitnessCell(workbook, name, name, 0, "", problem, asked)
        place = f"{name}!{column_letters(column)}{leaves.totals_row}"
        return WitnessCell(workbook, name, place, *found, asked=asked)


class _Writer:
    """Puts decoded pieces into partition files and keeps their counts. While one file is made durable in a thread of
    its own, the next is written."""

    def __init__(
        self, origin: Origin, sheet: str, columns: pa.Schema, place: Place, header_row: int, most: int
    ) -> None:
        self._origin, self._sheet, self._schema, self._place = origin, sheet, columns, place
        self._most = most
        self.last_row = header_row  # of what was written into pieces so far
        self._first_row = header_row + 1
        self._file: StagingFile | None = None
        self._source = self._blank = self._rejected = 0
        self._left_out: Counter[str] = Counter()
        self._committer = ThreadPoolExecutor(1, "commit")
        self._committed: list[Future[PartitionFile]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._committer.shutdown()
        if self._file is not None:
            self._file.discard()

    def add(self, piece: Decoded) -> None:
        if piece.first_row and piece.first_row <= self.last_row:
            raise row_out_of_order(piece.first_row, self.last_row)
        self.last_row = max(self.last_row, piece.last_row)
        rows: TypedRows = piece.rows
        self._source += piece.source
        self._blank += rows.blank
        self._rejected += rows.rejected
        self._left_out.update(piece.left_out)
        if rows.batch.num_rows:
            self._open().write(rows.batch)
        if piece.ends_partition:
            self._close_partition()

    def finished(self) -> tuple[PartitionFile, ...]:
        """All partitions, once the last has ended and every file is durable."""
        self._close_partition()
        return tuple(partition.result() for partition in self._committed)

    def _close_partition(self) -> None:
        """End the partition at the last row seen; rows without any value open none of their own."""
        if not self._source:
            return
        if len(self._committed) >= self._most:
            raise TooManyPartitions
        if self._committed:
            self._committed[-1].result()  # one at a time, and no row more after one that failed
        identity = f"{self._origin.sha256}\n{self._sheet}\n{self._first_row}\n{self.last_row}"
        partition = PartitionFile(
            partition_id=hashlib.sha256(identity.encode()).hexdigest()[:32],
            label=f"{self._origin.label} {self._sheet} {self._first_row}–{self.last_row}".lstrip(),
            path="",
            sha256="",
            workbook=self._origin.workbook,
            sheet=self._sheet,
            first_row=self._first_row,
            last_row=self.last_row,
            source=self._source,
            blank=self._blank,
            rejected=self._rejected,
            rows=self._source - self._blank - self._left_out.total(),
            left_out=dict(self._left_out),
        )
        self._committed.append(self._committer.submit(_commit, self._open(), partition))
        self._file = None
        self._first_row = self.last_row + 1
        self._source = self._blank = self._rejected = 0
        self._left_out.clear()

    def _open(self) -> StagingFile:
        if self._file is None:
            self._file = StagingFile(self._place, self._schema)
        return self._file


def _commit(file: StagingFile, partition: PartitionFile) -> PartitionFile:
    try:
        path, sha256 = file.commit(file_name(partition.partition_id))
    finally:
        file.discard()
    return replace(partition, path=path, sha256=sha256)


def _warnings(sheet: str, last_row: int, source: int) -> tuple[str, ...]:
    if last_row in (MAX_ROWS, _OLD_MAX_ROWS) and source > last_row // 2:
        return (f"{sheet} has exactly {last_row:,} rows: probably cut off by the tool that wrote it",)
    return ()


def left_out(origin: Origin, sheet: str) -> str:
    """The warning of a sheet without any value, where every sheet was asked for."""
    return f"{_sheet_of(origin, sheet)} is empty: left out"


def _sheet_of(origin: Origin, sheet: str) -> str:
    return f"{origin.label}: sheet {sheet}" if origin.label else f"sheet {sheet}"
