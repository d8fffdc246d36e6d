"""The file of a scan: opened once, and known to be as it was."""

from __future__ import annotations

import os
from io import BufferedReader
from pathlib import Path
from typing import Literal

from factload.errors import FeedError, WorkbookError
from factload.printable import in_one_line
from factload.settings import is_url


class ScannedFile:
    """A file that whoever calls ``scan`` names, anywhere on this machine; see :class:`sheet.workbook_file.Openable`.

    Raises ``FeedError`` ``scan_invalid`` for what is no path.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._path = Path(path)
        except TypeError:
            raise FeedError("scan_invalid", "`path` is neither a text nor a path") from None
        if is_url(os.fspath(path)):
            raise FeedError(
                "scan_invalid",
                "`path` is a URL",
                expected="a file of this machine",
                remedy="Copy the workbook to this machine first",
            )
        self._file: BufferedReader | None = None
        self._stamp: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        return self._path.name

    def open(self, mode: Literal["rb"] = "rb", /) -> BufferedReader:
        """Open the file, once. Raises what ``opened`` expects, and ``WorkbookError`` ``workbook_missing``."""
        try:
            self._file = open(self._path, mode, opener=_without_waiting)  # noqa: SIM115 - Path has no opener
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
            raise
        except (OSError, ValueError) as error:  # links in a circle, names that no file can have
            raise WorkbookError(
                "workbook_missing", f"no file can be reached at {in_one_line(str(self._path))}"
            ) from error
        self._stamp = self._seen()
        return self._file

    def require_unchanged(self) -> None:
        """Raise ``WorkbookError`` when the file, still open, was written to since it was opened."""
        if self._seen() != self._stamp:
            raise WorkbookError(
                "workbook_changed",
                f"the workbook {in_one_line(self.name)} was overwritten while it was read",
                expected="the bytes that it was opened with",
                remedy="Scan it again once it is complete, and drop what was read of it",
            )

    def _seen(self) -> tuple[int, int]:
        assert self._file is not None  # noqa: S101
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns


def _without_waiting(path: str, flags: int) -> int:
    """A pipe that nobody writes into would be waited for."""
    return os.open(path, flags | os.O_NONBLOCK)
