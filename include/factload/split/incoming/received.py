"""The bytes of a workbook that is uploaded, as they come: counted, weighed, and looked at when all are there."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod

from factload.errors import WorkbookError
from factload.feed.model import Feed
from factload.load import SourceFile
from factload.sheet.file_kind import Contents, is_named_csv
from factload.sheet.limits import Limits
from factload.sheet.source import format_of
from factload.sheet.workbook_file import WorkbookFile
from factload.sheet.xlsx.package import open_package
from factload.split.incoming.place import Place, taken, there_at


class Received(ABC):
    """A workbook that is being received into an open file of its own."""

    def __init__(self, place: Place, file: int, most: int) -> None:
        self.place, self._file, self._most = place, file, most
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """The next bytes. Raises ``WorkbookError`` ``workbook_too_long``."""
        self._size += len(data)
        if self._size > self._most:
            raise too_long(self._most)
        self._digest.update(data)
        while data:
            data = data[os.write(self._file, data) :]

    def put(self, feed: Feed, over: str = "") -> SourceFile:
        """Put it into its place. ``over``: the SHA-256 of the workbook that it replaces there.

        Raises ``WorkbookError``: what its bytes are no workbook for; ``workbook_there`` when another is there than
        ``over`` says.
        """
        require_workbook(WorkbookFile(self.place.name, self._file, self._size), feed)
        os.fsync(self._file)
        self._take_place(over)
        return SourceFile(self.place.path, self._digest.hexdigest(), self._size)

    def _take_place(self, over: str) -> None:
        """Give it its name, unless another has it."""
        there = there_at(self.place)
        if there is None:
            if not self._create():
                raise taken(self.place)
        elif there.sha256 == over:
            self._replace()
        else:
            raise taken(self.place)

    @abstractmethod
    def _create(self) -> bool:
        """Give it the name; False where somebody else has taken it meanwhile."""

    @abstractmethod
    def _replace(self) -> None:
        """Give it the name of the one that is there."""


def require_workbook(file: WorkbookFile, feed: Feed) -> None:
    """Raise ``WorkbookError`` for a file whose bytes are of no kind that is read."""
    limits = Limits.from_environment()
    may_be_csv = feed.workbook.csv is not None or is_named_csv(file.name)
    if format_of(Contents(file, may_be_csv=may_be_csv, max_members=limits.members)).name == "xlsx":
        with open_package(file, limits):  # any zip archive is taken for one until it is opened
            pass


def too_long(most: int) -> WorkbookError:
    """The refusal of more bytes than may come."""
    return WorkbookError(
        "workbook_too_long",
        "the workbook is too long to be uploaded",
        expected=f"at most {most:,} bytes",
        remedy="Put it into its place by other means, or raise the setting FACTLOAD_UPLOAD_BYTES",
    )
