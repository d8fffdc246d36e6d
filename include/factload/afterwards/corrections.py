"""Corrected rows in the place of rejected ones.

A row that a person corrected keeps its place in the workbook: the cells that they changed are laid over those that
stand there, the row is typed anew, and takes its own place in its partition. So every row of the load is still
counted once, by the bytes of its workbook, and reconciled as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from factload.ledger.corrections import Correction, sha256_of_row
from factload.sheet.cells import Row, to_block
from factload.sheet.choices import CellChoices
from factload.sheet.columns import type_rows
from factload.sheet.delimited.dialect import CsvDialect
from factload.sheet.field import SheetField
from factload.sheet.source import Source, open_source
from factload.sheet.workbook import find_header, place_columns
from factload.split.all_workbooks import unchanged
from factload.split.partitions import CORRECTED, PartitionFile, Split
from factload.split.sources import SourceFile
from factload.staging import StagingFile, open_table

_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class CorrectedRow:
    """A row of a workbook as it stands there, and what people have corrected in it, one after another."""

    row: Row
    corrections: tuple[Correction, ...]

    @property
    def now(self) -> Row:
        """The row as it was corrected last."""
        return self.corrections[-1].on(self.row) if self.corrections else self.row


def corrections_of(source: SourceFile, corrections: Iterable[Correction]) -> list[Correction]:
    """Those that may be of this workbook: of the same bytes, or of an earlier delivery of the same name."""
    return [c for c in corrections if source.sha256 == c.workbook_sha256 or source.path == c.workbook]


def rows_of(
    opened: Source,
    sheet: str,
    fields: Sequence[SheetField],
    wanted: Iterable[int],
    sha256: str,
    corrections: Iterable[Correction],
) -> Iterator[CorrectedRow]:
    """The rows ``wanted`` (ascending) of one sheet, each with those of its ``corrections`` that are of this row.

    ``fields``: what the feed reads of a row. A row that isn't there comes without cells.
    """
    of_row: dict[int, list[Correction]] = {}
    for correction in corrections:
        if correction.sheet == sheet:
            of_row.setdefault(correction.row, []).append(correction)
    part = next(part for part in opened.sheets if part.name == sheet)
    names = [field.column for field in fields]
    header = find_header(opened.first_rows(part), names, sheet)
    rows = opened.all_rows(part, header_row=header.row, columns=set(place_columns(header, names, sheet)))
    row = Row(0)
    for number in wanted:
        while row.number < number:
            row = next(rows, Row(number))
        found = row if row.number == number else Row(number)
        digest = sha256_of_row(found) if number in of_row else ""
        yield CorrectedRow(found, tuple(c for c in of_row.get(number, ()) if c.is_of(sha256, digest)))


def in_place(
    split: Split,
    sources: Iterable[SourceFile],
    corrections: Sequence[Correction],
    *,
    fields: Sequence[SheetField],
    csv: CsvDialect | None,
    cells: CellChoices,
    folder: Path,
) -> Split:
    """``split`` with the corrected rows in their places.

    Corrections of rows that the workbooks no longer have are left out, and a warning names these rows.
    """
    if not corrections:
        return split
    taken: set[tuple[str, str, int]] = set()
    partitions = list(split.partitions)
    for source in sources:
        own = corrections_of(source, corrections)
        if not own or not any(p.workbook == source.path for p in partitions):
            continue
        with unchanged(source), open_source(source.file, csv=csv, cells=cells) as opened:
            for sheet in dict.fromkeys(p.sheet for p in partitions if p.workbook == source.path):
                rows = _corrected_rows(opened, sheet, fields, source, own)
                taken |= {(c.workbook, c.sheet, c.row) for found in rows.values() for c in found.corrections}
                typed = _typed(opened, sheet, [found.now for found in rows.values()], fields)
                partitions = [
                    _with_rows(p, rows.keys(), typed, folder)
                    if (p.workbook, p.sheet) == (source.path, sheet)
                    else p
                    for p in partitions
                ]
    left_out = {(c.workbook, c.sheet, c.row) for c in corrections} - taken
    return replace(split, partitions=tuple(partitions), warnings=(*split.warnings, *_left_out(left_out)))


def _corrected_rows(
    opened: Source,
    sheet: str,
    fields: Sequence[SheetField],
    source: SourceFile,
    corrections: Sequence[Correction],
) -> dict[int, CorrectedRow]:
    numbers = sorted({c.row for c in corrections if c.sheet == sheet})
    if not numbers:
        return {}
    found = rows_of(opened, sheet, fields, numbers, source.sha256, corrections)
    return {one.row.number: one for one in found if one.corrections}


def _typed(opened: Source, sheet: str, rows: Sequence[Row], fields: Sequence[SheetField]) -> pa.Table | None:
    """The rows as the load reads them; those without anything in a column that the feed reads are left out."""
    if not rows:
        return None
    part = next(part for part in opened.sheets if part.name == sheet)
    read = opened.rows(part, fields, 1)
    block = to_block(rows, sorted(set(read.placed)), rows[-1].number)
    typed = type_rows(block, read.fields, read.placed, date1904=opened.date1904)
    return pa.Table.from_batches([typed.batch])


def _with_rows(
    partition: PartitionFile, corrected: Iterable[int], typed: pa.Table | None, folder: Path
) -> PartitionFile:
    """The partition with these rows in the place of its own, written anew if it has any of them."""
    gone = [row for row in corrected if partition.first_row <= row <= partition.last_row]
    if not gone or typed is None:
        return partition
    whole = open_table(Path(partition.path), partition.sha256)
    numbers = pa.array(gone, pa.int32())
    kept = whole.filter(pc.invert(pc.is_in(whole["row"], value_set=numbers)))
    new = typed.filter(pc.is_in(typed["row"], value_set=numbers)).replace_schema_metadata(
        whole.schema.metadata
    )
    rows = pa.concat_tables([kept, new.cast(whole.schema)]).sort_by("row")
    file = StagingFile(folder, rows.schema)
    try:
        for batch in rows.to_batches():
            file.write(batch)
        path, sha256 = file.commit(CORRECTED.format(partition.partition_id))
    finally:
        file.discard()
    return replace(
        partition,
        path=str(path.absolute()),
        sha256=sha256,
        blank=partition.source - rows.num_rows,
        rejected=rows.num_rows - rows["reason"].null_count,
        rows=rows.num_rows,
    )


def _left_out(places: Iterable[tuple[str, str, int]]) -> list[str]:
    shown = [f"{Path(workbook).name} {sheet} row {row}" for workbook, sheet, row in sorted(places)]
    if not shown:
        return []
    return [
        f"the corrections of {listed(shown)} were left out: the workbook no longer has "
        + ("this row" if len(shown) == 1 else "these rows")
    ]


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more:,} more" if more > 0 else "")
