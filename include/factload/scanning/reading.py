"""The reading of a scan: from the first batch to the end, to an error, or until it is closed."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, suppress
from functools import reduce
from operator import add
from typing import Self

import pyarrow as pa

from factload.errors import INTERRUPTED, FactloadError, FeedError, TransientError
from factload.last_net import foreseen
from factload.memory import give_back
from factload.scanning.batches import ScanCounts, ScannedSheet
from factload.scanning.file import ScannedFile


class Reading:
    """The batches of all sheets. Iterated once; after an error it raises that again, so that nobody takes what came
    before for all there is.

    ``opened``: the open workbook, closed in the end. ``error``: what reading ended with, if it did.
    """

    def __init__(self, sheets: Sequence[ScannedSheet], file: ScannedFile, opened: ExitStack) -> None:
        self._sheets, self._opened = sheets, opened
        self._batches = _read(sheets, file, opened)
        self.error: FactloadError | None = None
        self.has_begun = self.has_ended = False

    @property
    def counts(self) -> ScanCounts:
        return reduce(add, (sheet.counts for sheet in self._sheets), ScanCounts())

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(warning for sheet in self._sheets for warning in sheet.warnings)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pa.RecordBatch:
        if self.error is not None:
            raise self.error
        self.has_begun = True
        give_back()  # windows are freed in other threads than they are made in: Arrow's allocator keeps them otherwise
        try:
            batch = next(self._batches)
        except StopIteration:
            self.has_ended = True
            raise
        except Exception as error:
            self.error = foreseen(error)
            raise self.error from error.__cause__
        except BaseException:
            self.error = TransientError(INTERRUPTED, "the scan was interrupted", remedy="Scan the file again")
            raise
        if self.error is not None:  # closed by another thread meanwhile
            self._free()
            raise self.error
        return batch

    def close(self) -> None:
        """Free what is open; called again it does nothing. While another thread reads, that ends after its batch."""
        if self.error is None and not self.has_ended:
            self.error = FeedError(
                "scan_closed", "The scan was closed before its end", remedy="Call `factload.scan` again"
            )
        with suppress(ValueError):  # at work in another thread
            self._free()

    def _free(self) -> None:
        self._batches.close()
        self._opened.close()


def _read(
    sheets: Sequence[ScannedSheet], file: ScannedFile, opened: ExitStack
) -> Generator[pa.RecordBatch, None, None]:
    with opened:
        for sheet in sheets:
            yield from sheet.batches()
        file.require_unchanged()
