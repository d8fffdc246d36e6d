"""Staging files: complete or absent, never trusted without their checksum, and for nobody but the user that loads."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from factload.checksum import sha256_of
from factload.errors import TransientError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_TICK = 100_000_000  # nanoseconds, more than a file system's clock takes to go on
STAGING_LOST = ("staging_failed", "staging_missing")


def open_table(path: Path, sha256: str) -> pa.Table:
    """The Arrow file at ``path``, memory-mapped, after its checksum.

    Raises TransientError ``staging_missing`` or ``staging_altered``: writing it again mends both.
    """
    require_unaltered(path, sha256)
    with missing_is_a_fault(path), pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def require_unaltered(path: Path, sha256: str) -> None:
    """Raise TransientError unless the file at ``path`` is there, and its bytes are those that were written."""
    with missing_is_a_fault(path), path.open("rb") as file:  # opened, a file server is asked what it is now
        found = _sha256_of(path, os.fstat(file.fileno()))
    if found != sha256:
        raise TransientError(
            "staging_altered",
            f"The staging file {path.name} is not what was written",
            remedy="Run the step that writes it again; look at the disk under the staging folder",
        )


def _sha256_of(path: Path, found: os.stat_result) -> str:
    """The file's digest, computed once a process as long as the file is what it was: all tasks of a worker look up in
    one map, which may be large."""
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    if time.time_ns() - changed < _TICK:  # another change may bear the same time
        return sha256_of(path)
    return _sha256_in_state(path, found.st_dev, found.st_ino, found.st_size, changed)


@lru_cache(maxsize=64)
def _sha256_in_state(path: Path, *_: int) -> str:
    return sha256_of(path)


@contextmanager
def missing_is_a_fault(path: Path) -> Iterator[None]:
    """Turn "no such file" into TransientError ``staging_missing``."""
    try:
        yield
    except FileNotFoundError as error:
        raise TransientError(
            "staging_missing",
            f"The staging file {path.name} is gone",
            expected="a staging folder that all workers share",
            remedy="Run the step that writes it again",
        ) from error


def make_private(folder: Path) -> None:
    """Make the folder and those above it that are missing, for this user alone: they hold what workbooks hold."""
    for place in reversed((folder, *folder.parents)):
        if not place.is_dir():
            place.mkdir(mode=0o700, exist_ok=True)


def new_private(path: Path) -> int:
    """The descriptor of a new file for this user alone, to be written."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


class StagingFile:
    """An Arrow file in the making, under a temporary name beside its own."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._part = folder / f".{uuid4().hex}.part"
        self._folder = folder
        with disk_errors(folder):
            make_private(folder)
            self._file = os.fdopen(new_private(self._part), "wb")
            self._writer: Any = pa.ipc.new_file(self._file, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        with disk_errors(self._folder, batch.nbytes):
            self._writer.write_batch(batch)

    def commit(self, name: str) -> tuple[Path, str]:
        """Make it durable, then visible as ``name`` (replacing what was there); its path and SHA-256.

        ``{sha256}`` in the name stands for the digest's first digits: nothing else ever replaces such a file.
        """
        with disk_errors(self._folder):
            self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            sha256 = sha256_of(self._part)
            path = self._part.with_name(name.replace("{sha256}", sha256[:12]))
            self._part.replace(path)
        return path, sha256

    def discard(self) -> None:
        """Leave nothing behind. Does nothing after a commit."""
        with suppress(OSError, pa.ArrowInvalid):
            self._file.close()
        self._part.unlink(missing_ok=True)


@contextmanager
def disk_errors(folder: Path, needed: int = 0) -> Iterator[None]:
    """A full disk is a fault that passes: it says which, what is free, and the bytes that were ``needed`` next, if
    that is known. Other errors of the disk keep their own words."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _no_room(folder, needed) from error
        raise TransientError(
            "staging_failed",
            f"The staging folder can't be written ({error.strerror})",
            remedy="Look at the disk",
        ) from error


def _no_room(folder: Path, needed: int) -> TransientError:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    return TransientError(
        "staging_full",
        f"the disk under the staging folder {folder} is full: {megabytes(free)} are free"
        + (f", {megabytes(needed)} were to be written next" if needed else ""),
        remedy="Free space there, or move FACTLOAD_STAGING; then run the load again",
    )


def megabytes(size: int) -> str:
    """A number of bytes as people read it; a MB is 10^6 bytes."""
    return f"{size / 1e6:,.1f} MB"
