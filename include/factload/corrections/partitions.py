"""Corrected rows in the place of rejected ones.

A row that a person corrected keeps its place in the workbook: the cells that they changed are laid over those that
stand there, the row is typed anew, and takes its own place in its partition. So every row of the load is still
counted once, by the bytes of its workbook, and reconciled as any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from factload.corrections.same_rows import chains_of, corrections_of, rows_of
from factload.ledger.corrections import Correction
from factload.load import PartitionFile, SourceFile, Split
from factload.sheet.choices import CellChoices
from factload.sheet.columns import type_rows
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.field import SheetField
from factload.sheet.pivot import CELL
from factload.sheet.rows import Row, to_block
from factload.sheet.source import Source, open_source
from factload.split.all_workbooks import unchanged
from factload.split.partitions import rewritten
from factload.split.sources import openable
from factload.staging.files import open_table
from factload.staging.store import Place

_NAMED_AT_MOST = 5


def in_place(
    split: Split,
    sources: Sequence[SourceFile],
    corrections: Sequence[Correction],
    *,
    fields: Sequence[SheetField],
    csv: CsvDialect | None,
    cells: CellChoices,
    place: Place,
) -> Split:
    """``split`` with the corrected rows in their places.

    ``sources``: the load's workbooks; ``corrections``: all of the load, oldest first; ``fields``: what the feed
    reads of a row; ``csv``: how csv files are declared (None: not at all); ``cells``: how ambiguous cells are read;
    ``place``: where changed partition files are written. Raises ``WorkbookError`` for a workbook that has changed.
    Corrections of rows that the workbooks no longer have are left out, and a warning names these rows.
    """
    if not corrections:
        return split
    applied: set[str] = set()  # the digests of the rows
    partitions = list(split.partitions)
    for source in sources:
        own = corrections_of(source, sources, corrections)
        if not own or not any(p.workbook == source.path for p in partitions):
            continue
        with unchanged(source), open_source(openable(source), csv=csv, cells=cells) as opened:
            for sheet in dict.fromkeys(p.sheet for p in partitions if p.workbook == source.path):
                chains = chains_of(opened, sheet, fields, source, own)
                rows = [found.now for found in rows_of(opened, sheet, fields, sorted(chains), chains)]
                applied |= {correction.row_sha256 for chain in chains.values() for correction in chain}
                typed = _typed(opened, sheet, rows, fields)
                partitions = [
                    _with_rows(p, chains, typed, place)
                    if (p.workbook, p.sheet) == (source.path, sheet)
                    else p
                    for p in partitions
                ]
    return replace(
        split, partitions=tuple(partitions), warnings=(*split.warnings, *_left_out(corrections, applied))
    )


def _typed(opened: Source, sheet: str, rows: Sequence[Row], fields: Sequence[SheetField]) -> pa.Table | None:
    """The rows as the load reads them; those without anything in a column that the feed reads are left out."""
    if not rows:
        return None
    part = next(part for part in opened.sheets if part.name == sheet)
    read = opened.rows(part, fields, 1)
    block = to_block(rows, read.placing.columns, rows[-1].number)
    typed = type_rows(block, read.placing, calendar=opened.calendar)
    return pa.Table.from_batches([typed.batch])


def _with_rows(
    partition: PartitionFile, corrected: Iterable[int], typed: pa.Table | None, place: Place
) -> PartitionFile:
    """The partition with these rows in the place of its own, written anew if it has any of them."""
    gone = [row for row in corrected if partition.first_row <= row <= partition.last_row]
    if not gone or typed is None:
        return partition
    whole = open_table(partition.path, partition.sha256)
    numbers = pa.array(gone, pa.int32())
    kept = whole.filter(pc.invert(pc.is_in(whole["row"], value_set=numbers)))
    new = typed.filter(pc.is_in(typed["row"], value_set=numbers)).replace_schema_metadata(
        whole.schema.metadata
    )
    if partition.left_out:  # among the rows that are no data, none takes a place
        new = new.filter(pc.is_in(new["row"], value_set=whole["row"].combine_chunks()))
    order = [(name, "ascending") for name in ("row", CELL) if name in whole.column_names]
    rows = pa.concat_tables([kept, new.cast(whole.schema)]).sort_by(order)
    return rewritten(partition, rows, place)


def _left_out(corrections: Iterable[Correction], applied: Collection[str]) -> list[str]:
    """The warning of corrections whose rows are gone; of those that a later delivery has other ones of, none."""
    places = {(c.workbook, c.sheet, c.row) for c in corrections if c.row_sha256 not in applied}
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
