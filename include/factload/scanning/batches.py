"""A scan's rows, batch by batch, out of a workbook that is open; what is counted and rejected beside them.

A batch that was passed on can't be taken back. So what stands after the rows of a sheet and changes them is looked up
before the first of them; and where a sheet that was read fast for a while turns out to need the exact reader, that
begins anew, and the rows that were passed on are counted once more and left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from factload.errors import WorkbookError
from factload.scanning.rejects import REJECTS, Rejects
from factload.sheet.merged import merged_headers
from factload.sheet.pieces import Decoded, NotPlain, Pieces, row_count_mismatch
from factload.sheet.rows import row_out_of_order
from factload.sheet.source import SheetRows, settled

PLACES_PER_PIECE = (
    1 << 16
)  # rows × columns: a few of them are held at once, and what reads the stream holds some too


@dataclass(frozen=True, slots=True)
class ScanCounts:
    """The rows below the headers that are read so far: source = blank + left out + rejected + rows, as in a load.

    ``left_out``: reason → how many.
    """

    source: int = 0
    blank: int = 0
    rejected: int = 0
    rows: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: ScanCounts) -> ScanCounts:
        return ScanCounts(
            self.source + other.source,
            self.blank + other.blank,
            self.rejected + other.rejected,
            self.rows + other.rows,
            dict(Counter(self.left_out) + Counter(other.left_out)),
        )


class ScannedSheet:
    """The rows of one sheet below its header.

    ``fields``: the names that its typed rows have, in the order of ``columns``, the schema of the batches.
    ``counts``: of what is read so far; ``warnings``: what a person should know, once all rows are read.
    """

    def __init__(self, rows: SheetRows, fields: Sequence[str], columns: pa.Schema, rejects: Rejects) -> None:
        self._rows, self._fields, self._columns, self._rejects = rows, fields, columns, rejects
        self.counts = ScanCounts()
        self._passed, self._passed_rows = 0, 0  # the last row that was passed on, and how many were

    @property
    def warnings(self) -> Sequence[str]:
        return self._rows.warnings

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows that are no rejects; begun once. Raises WorkbookError, TransientError."""
        rows_per_piece = max(1, PLACES_PER_PIECE // len(self._fields))
        self._rows.look_ahead()
        try:
            yield from self._read(self._rows.pieces(rows_per_piece))
        except NotPlain:
            yield from self._read(self._rows.exactly(rows_per_piece))
        leaves = self._rows.leaves
        defects = [
            *merged_headers(self._rows.header.names, self._rows.unclear, self._rows.name),
            *(leaves.defects() if leaves else ()),
        ]
        if defects:
            raise WorkbookError.together(defects)

    def _read(self, pieces: Pieces) -> Iterator[pa.RecordBatch]:
        counts, last = ScanCounts(), self._rows.header.row
        before, expected, again = self._passed, self._passed_rows, 0
        with closing(settled(self._rows, pieces)) as decoded:
            for piece in decoded:
                if piece.first_row and piece.first_row <= last:
                    raise row_out_of_order(piece.first_row, last)
                last = max(last, piece.last_row)
                counts += _counted(piece)
                rows = piece.rows.batch
                if again < expected:
                    new = rows.filter(pc.greater(rows["row"], before))
                    again += rows.num_rows - new.num_rows
                    rows = new
                if last >= before:
                    if again != expected:
                        raise row_count_mismatch(self._rows.name, last)
                    self.counts = counts
                    yield from self._passed_on(rows)
        if last < before:
            raise row_count_mismatch(self._rows.name, last)
        self.counts = counts

    def _passed_on(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The good rows as a batch, once the others are among the rejects."""
        if not rows.num_rows:
            return
        self._passed, self._passed_rows = rows["row"][-1].as_py(), self._passed_rows + rows.num_rows
        good = rows
        if rows["reason"].null_count < rows.num_rows:
            bad = rows.filter(pc.is_valid(rows["reason"]))
            sheet = pa.repeat(self._rows.name, bad.num_rows)
            found = [sheet, *(bad[name] for name in REJECTS.names[1:])]
            self._rejects.add(pa.Table.from_arrays(found, schema=REJECTS))
            good = rows.filter(pc.is_null(rows["reason"]))
        if good.num_rows:
            yield pa.RecordBatch.from_arrays([good[name] for name in self._fields], schema=self._columns)


def _counted(piece: Decoded) -> ScanCounts:
    rows = piece.rows
    return ScanCounts(
        piece.source, rows.blank, rows.rejected, rows.batch.num_rows - rows.rejected, dict(piece.left_out)
    )
