"""``factload.scan``: a workbook as a stream of Arrow record batches. Nothing here knows a database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pyarrow as pa

from factload.errors import FeedError
from factload.last_net import foreseen
from factload.scanning.asked import asked_for
from factload.scanning.batches import ScanCounts, ScannedSheet
from factload.scanning.file import ScannedFile
from factload.scanning.ipc_stream import IpcStream
from factload.scanning.reading import Reading
from factload.scanning.rejects import Rejects
from factload.sheet.choices import Merged, StaleFormulas
from factload.sheet.columns import schema
from factload.sheet.sheets import EVERY, SheetChoice, choose
from factload.sheet.source import open_source
from factload.split.fields import sheet_fields, value_field

_THREADS = 2


class Scan(pa.RecordBatchStreamReader):  # type: ignore[misc]
    """A ``pyarrow.RecordBatchReader``, to be read once, with ``rejects`` and ``counts`` beside it.

    Reading to the end without an error means that every row was read: it is in a batch, among the rejects, or counted
    as blank or left out. As a context manager it is closed in the end, and what is wrong with the workbook is raised as
    factload's own error, where the program that read the stream would put it into one of its own.
    """

    def __init__(self, columns: pa.Schema, reading: Reading, rejects: Rejects) -> None:
        self._reading, self._rejects, self._is_handed_over = reading, rejects, False
        super().__init__(IpcStream(columns, reading))

    @property
    def rejects(self) -> pa.Table:
        """The rows that could not be read as asked, of those that are read so far: ``sheet``, ``row`` (in the sheet),
        ``cell``, ``column``, ``raw`` (what a person sees there), ``reason`` (a code; ``docs/feeds.md`` explains it)."""
        return self._rejects.table()

    @property
    def counts(self) -> ScanCounts:
        """The rows that are read so far, by what became of them."""
        return self._reading.counts

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of the rows, once all are read."""
        return self._reading.warnings

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        self._require_rows()
        return super().__iter__()  # type: ignore[no-any-return]

    def read_all(self) -> pa.Table:
        """All batches that are left, as one table."""
        self._require_rows()
        return super().read_all()

    def read_pandas(self, **options: Any) -> Any:
        """All batches that are left, as a pandas data frame; ``options`` are those of ``pyarrow.Table.to_pandas``."""
        self._require_rows()
        return super().read_pandas(**options)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        if self._is_handed_over and self._reading.has_begun:
            raise FeedError(
                "scan_read",
                "Something else reads from this scan already",
                expected="one reader: another would get what is left",
                remedy="Call `factload.scan` again",
            )
        self._require_rows()
        self._is_handed_over = True
        return super().__arrow_c_stream__(requested_schema)

    def close(self) -> None:
        """Close the workbook, and end the process that reads it if there is one. ``rejects`` and ``counts`` stay."""
        self._reading.close()

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> None:
        self.close()
        if error is not None and self._reading.error not in (None, error):
            raise self._reading.error from None

    def _require_rows(self) -> None:
        if self._reading.has_ended:
            raise FeedError(
                "scan_read",
                "This scan was read to its end",
                expected="one that has rows left: a stream is read once",
                remedy="Call `factload.scan` again",
            )


def scan(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str | Mapping[str, Any]],
    sheet: SheetChoice | Sequence[str | int] | None = None,
    table: str | None = None,
    range: str | None = None,
    ends: str | Mapping[str, str | int] | None = None,
    skip_rows: Sequence[Mapping[str, str | int]] | None = None,
    merged: Merged | None = None,
    stale_formulas: StaleFormulas | None = None,
    csv: Mapping[str, str] | None = None,
) -> Scan:
    """Read a workbook of any kind as a stream of Arrow record batches, its rejects beside it.

    ``path``: a file of this machine, as ``open`` takes it. ``columns``: name → type in the words of a feed, such as
    ``"numeric(18,2)"``, ``"date"``, ``"text"``; or a mapping of the fields of a fact column that say how a cell is
    read: ``{"column": "Net amount", "type": "numeric(18,2)", "required": True}``. The name is the header's, unless
    ``column`` says another. ``sheet``: its name, its index from 0, a list of these, or ``"*"``; without it the first.
    ``table``, ``range``: an Excel table or a range instead. These and the rest are what they are below a feed's
    ``workbook``.

    The header is found before this returns; rows are read as they are asked for. Raises ``FeedError`` when an argument
    is wrong, ``WorkbookError`` when the workbook is not as they say. Reading on raises ``WorkbookError`` too,
    ``TransientError`` when there is no room for rejects, and ``FeedError`` when the scan was closed or read before.
    """
    file = ScannedFile(path)
    workbook = {
        "sheet": sheet,
        "table": table,
        "range": range,
        "ends": ends,
        "skip_rows": skip_rows,
        "merged": merged,
        "stale_formulas": stale_formulas,
        "csv": csv,
    }
    feed = asked_for(
        file.name, columns, {name: value for name, value in workbook.items() if value is not None}
    )
    fields = sheet_fields(feed)
    names = [value_field(name) for name in feed.fact.columns]
    typed = schema(fields)
    batches = pa.schema([typed.field(value_field(name)).with_name(name) for name in feed.fact.columns])
    rejects = Rejects()
    try:
        with ExitStack() as opened:
            source = opened.enter_context(open_source(file, csv=feed.workbook.csv_dialect, cells=feed.cells))
            parts = choose(source.sheets, feed.workbook.sheet)
            sheets = [
                ScannedSheet(source.rows(part, fields, _THREADS), names, batches, rejects)
                for part in parts
                if feed.workbook.sheet != EVERY or not source.is_empty(part)
            ]
            return Scan(batches, Reading(sheets, file, opened.pop_all()), rejects)
    except Exception as error:
        raise foreseen(error) from error.__cause__
