"""Corrected rows in the place of rejected ones.

A workbook that ``rejects_workbook`` wrote, and a person corrected, names in each row which row of the load it stands
for. Its rows become partitions of their own; the rows that they stand for leave the partitions they were in. So
every row of the load is still counted once, and reconciled as any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.engine import Connection

from factload.errors import RowsRefused
from factload.feed.sql_types import SqlType
from factload.ledger.rejects import IDENTITY
from factload.ledger.tables import rejects
from factload.load import Load
from factload.sheet.field import SheetField
from factload.sheet.sheets import EVERY
from factload.split.all_workbooks import split_sources
from factload.split.partitions import PartitionFile, Split, joined
from factload.split.sources import SourceFile
from factload.staging import StagingFile, open_table

_WORKBOOK, _SHEET, _ROW = "factload_of_workbook", "factload_of_sheet", "factload_of_row"
_FIELDS = tuple(
    SheetField(name, column, "value", kind, required=True)
    for name, column, kind in zip(
        (_WORKBOOK, _SHEET, _ROW),
        IDENTITY,
        (SqlType("text"), SqlType("text"), SqlType("integer", bits=32)),
        strict=True,
    )
)
_NAMED_AT_MOST = 5
_ASKED_AT_ONCE = 5_000

Place = tuple[str, str]  # workbook, sheet


@dataclass(frozen=True, slots=True)
class Corrected:
    """One corrected workbook, split; and the rows of the load that its rows stand for."""

    source: SourceFile
    split: Split
    stands_for: Mapping[Place, frozenset[int]]


def read_corrected(
    source: SourceFile, fields: Sequence[SheetField], folder: Path, rows_per_partition: int
) -> Corrected:
    """Split all visible sheets of a corrected workbook into ``folder``.

    ``fields``: what the feed reads of a row. Raises ``RowsRefused`` for rows that don't say which row they stand
    for, or of which two stand for the same, and ``WorkbookError`` where the columns named ``IDENTITY`` are missing.
    """
    split = split_sources(
        [source],
        sheet=EVERY,
        fields=[*_FIELDS, *fields],
        folder=folder,
        rows_per_partition=rows_per_partition,
    )
    found: Counter[tuple[str, str, int]] = Counter()
    lost: list[str] = []
    for partition in split.partitions:
        rows = open_table(Path(partition.path), partition.sha256)
        for row, *names in zip(*(rows[n].to_pylist() for n in ("row", _WORKBOOK, _SHEET, _ROW)), strict=True):
            if None in names:
                lost.append(f"{partition.sheet} row {row}")
            else:
                found[names[0], names[1], names[2]] += 1
    if lost:
        raise _refused(f"{len(lost)} rows of {source.path} don't say which row they stand for", lost)
    if twice := [_shown(place) for place, count in found.items() if count > 1]:
        raise _refused(f"{len(twice)} rows stand in {source.path} more than once", twice)
    places: dict[Place, set[int]] = {}
    for workbook, sheet, row in found:
        places.setdefault((workbook, sheet), set()).add(row)
    return Corrected(source, split, {place: frozenset(rows) for place, rows in places.items()})


def require_rejected(connection: Connection, load: Load, corrected: Corrected) -> None:
    """Raise ``RowsRefused`` that names the rows, unless every corrected row is still a rejected one of ``load``."""
    unknown: list[str] = []
    for (workbook, sheet), rows in corrected.stands_for.items():
        known: set[int] = set()
        ordered = sorted(rows)
        for start in range(0, len(ordered), _ASKED_AT_ONCE):
            asked = ordered[start : start + _ASKED_AT_ONCE]
            known.update(
                connection.scalars(
                    select(rejects.c.row).where(
                        rejects.c.load_id == load.load_id,
                        rejects.c.content == load.content,
                        rejects.c.workbook == workbook,
                        rejects.c.sheet == sheet,
                        rejects.c.row.in_(asked),
                    )
                )
            )
        unknown += [_shown((workbook, sheet, row)) for row in ordered if row not in known]
    if unknown:
        raise _refused(
            f"{len(unknown)} rows of {corrected.source.path} are not rejected in {load.load_id}", unknown
        )


def in_place(split: Split, corrected: Iterable[Corrected], folder: Path) -> Split:
    """``split`` and the corrected workbooks as one: each in turn takes the place of the rows it stands for."""
    for correction in corrected:
        partitions = tuple(_without(p, correction.stands_for, folder) for p in split.partitions)
        gone = split.source - sum(p.source for p in partitions)
        if gone != sum(map(len, correction.stands_for.values())):
            raise _refused(f"{correction.source.path} corrects rows that are not there any more", [])
        split = joined([replace(split, partitions=partitions), correction.split])
    return split


def _without(partition: PartitionFile, gone: Mapping[Place, frozenset[int]], folder: Path) -> PartitionFile:
    """The partition without the rows that a corrected workbook stands for, written anew if it has any."""
    rows = sorted(gone.get((partition.workbook, partition.sheet), ()))
    if not any(partition.first_row <= row <= partition.last_row for row in rows):
        return partition
    whole = open_table(Path(partition.path), partition.sha256)
    left = whole.filter(pc.invert(pc.is_in(whole["row"], value_set=pa.array(rows, pa.int32()))))
    file = StagingFile(folder, left.schema)
    try:
        for batch in left.to_batches():
            file.write(batch)
        path, sha256 = file.commit(f"{partition.partition_id}.left.arrow")
    finally:
        file.discard()
    taken = whole.num_rows - left.num_rows
    return replace(
        partition,
        path=str(path.absolute()),
        sha256=sha256,
        source=partition.source - taken,
        rejected=left.num_rows - left["reason"].null_count,
        rows=left.num_rows,
    )


def _shown(place: tuple[str, str, int]) -> str:
    workbook, sheet, row = place
    return f"{Path(workbook).name} {sheet} row {row}"


def _refused(seen: str, rows: Sequence[str]) -> RowsRefused:
    more = len(rows) - _NAMED_AT_MOST
    named = ", ".join(rows[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
    return RowsRefused(
        "corrections_refused",
        f"{seen}{': ' if named else ''}{named}",
        expected="rows out of the newest `factload rejects LOAD --xlsx`, each once, its last columns as they were",
        remedy="Nothing was loaded. Take these rows out, or write the workbook anew",
    )
