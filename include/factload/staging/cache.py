"""What a worker has of a store: files that it fetched or put there, in a folder that its processes share.

A file's name is its SHA-256, so it can't be stale. Bounded in bytes: what was not used for longest goes first. A file
that is removed while a process has it mapped stays readable there; whoever opens it next fetches it again.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from factload.staging.disk import UNFINISHED, disk_errors, make_private

_PATIENCE_SECONDS = 120.0  # with another process that fetches the same file, and may be frozen
_LOOKED_EVERY_SECONDS = 0.02
_UNFINISHED_SECONDS = 86_400  # no file takes a day to be made


@dataclass(frozen=True, slots=True)
class Cache:
    """``folder``: of finished files; ``most``: how many bytes they have together, but for the one that came last."""

    folder: Path
    most: int

    def find(self, sha256: str) -> Path | None:
        """The file with this digest, which is in use from now on; None where it must be fetched."""
        path = self.folder / sha256
        with disk_errors(self.folder), suppress(FileNotFoundError):
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
            return path
        return None

    def add(self, made: Path, sha256: str) -> Path:
        """Take in a file that was made in a folder of the same disk, and let go of what is too much."""
        path = self.folder / sha256
        with disk_errors(self.folder):
            make_private(self.folder)
            made.replace(path)
        self._trim(path)
        return path

    @contextmanager
    def one_at_a_time(self, sha256: str) -> Iterator[None]:
        """Processes of this machine that want the same file do so one after another: the first one fetches it."""
        with disk_errors(self.folder):
            make_private(self.folder)
            lock = os.open(self.folder / f".lock-{sha256[:2]}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while not _locked(lock) and time.monotonic() < deadline:
                time.sleep(_LOOKED_EVERY_SECONDS)
            yield
        finally:
            os.close(lock)

    def _trim(self, kept: Path) -> None:
        found = []
        for entry in os.scandir(self.folder):
            with suppress(FileNotFoundError):
                state = entry.stat()
                if not entry.name.startswith("."):
                    found.append((state.st_atime, state.st_size, entry.path))
                elif (
                    fnmatchcase(entry.name, UNFINISHED.format("*"))
                    and state.st_mtime < time.time() - _UNFINISHED_SECONDS
                ):
                    Path(entry.path).unlink()
        size = sum(bytes_ for _, bytes_, _ in found)
        for _, bytes_, path in sorted(found):
            if size <= self.most:
                break
            if path != str(kept):
                with suppress(FileNotFoundError):
                    Path(path).unlink()
                size -= bytes_


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
