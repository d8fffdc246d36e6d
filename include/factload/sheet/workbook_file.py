"""A workbook's file, opened once: everything reads from its descriptor, even if its name is replaced meanwhile."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from factload.errors import WorkbookError

_BUFFER = 1 << 16


class Openable(Protocol):
    """A path, or what opens as one does."""

    @property
    def name(self) -> str: ...
    def open(self, mode: Literal["rb"], /) -> io.BufferedReader: ...


@dataclass(frozen=True, slots=True)
class WorkbookFile:
    """An open regular file. ``name`` is its own, without folders: messages show it, and a csv file's sheet has it."""

    name: str
    descriptor: int
    size: int

    def stream(self) -> io.BufferedReader:
        """Its bytes from the beginning; other streams over it don't disturb this one."""
        return io.BufferedReader(_Positioned(self.descriptor), _BUFFER)


@contextmanager
def opened(path: Openable) -> Iterator[WorkbookFile]:
    """The file, open. Raises WorkbookError ``workbook_missing`` or ``workbook_unreadable``, what ``path`` raises."""
    try:
        file = path.open("rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _refused(
            "missing", f"There is no workbook {path.name!r}", "Deliver it, or correct the path"
        ) from error
    except IsADirectoryError as error:
        raise _refused("missing", f"{path.name!r} is a folder", "Correct the path") from error
    except PermissionError as error:
        raise _refused(
            "unreadable", f"{path.name!r} may not be read", "Give this user the right to"
        ) from error
    with file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _refused("missing", f"{path.name!r} is no file", "Correct the path")
        yield WorkbookFile(path.name, file.fileno(), found.st_size)


class _Positioned(io.RawIOBase):
    """Bytes of a descriptor that others read too, from a position of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def readinto(self, buffer: Any, /) -> int:
        count = os.preadv(self._descriptor, [buffer], self._at)
        self._at += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        at = (os.fstat(self._descriptor).st_size if begin is None else begin) + offset
        if at < 0:
            raise OSError("a position before the beginning")
        self._at = at
        return at


def _refused(what: str, seen: str, remedy: str) -> WorkbookError:
    return WorkbookError(f"workbook_{what}", seen, expected="an .xlsx workbook", remedy=remedy)
