"""Whether a local file is still what was written: no staging file is trusted without its checksum."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from factload.checksum import sha256_of
from factload.errors import TransientError

_TICK = 100_000_000  # nanoseconds, more than a file system's clock takes to go on
STAGING_LOST = ("staging_failed", "staging_missing")


def require_unaltered(path: Path, sha256: str) -> None:
    """Raise TransientError unless the file at ``path`` is there, and its bytes are those that were written."""
    with missing_is_a_fault(path):
        if not is_unaltered(path, sha256):
            raise altered(path.name)


def is_unaltered(path: Path, sha256: str, *, marked: bool = False) -> bool:
    """Whether the file's bytes are those that were written; raises FileNotFoundError.

    ``marked``: the file's times say when it was used last, too, so that only the one of its content counts.
    """
    with path.open("rb") as file:  # opened, a file server is asked what it is now
        found = os.fstat(file.fileno())
    changed = found.st_mtime_ns if marked else max(found.st_mtime_ns, found.st_ctime_ns)
    return _sha256_of(path, found, changed) == sha256


def altered(name: str) -> TransientError:
    """The error of a file that holds something else than what was written."""
    return TransientError(
        "staging_altered",
        f"The staging file {name} is not what was written",
        remedy="Run the step that writes it again; look at the disk under the staging folder",
    )


def _sha256_of(path: Path, found: os.stat_result, changed: int) -> str:
    """The file's digest, computed once a process as long as the file is what it was: all tasks of a worker look up in
    one map, which may be large."""
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
            expected="staging that all workers share: one folder, or a store in FACTLOAD_STAGING",
            remedy="Run the step that writes it again",
        ) from error
