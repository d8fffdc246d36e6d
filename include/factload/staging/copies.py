"""Copies of workbooks that have a URL, in this machine's folder: each under the SHA-256 of its bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from factload.settings import settings
from factload.staging.disk import UNFINISHED, disk_errors, make_private, new_part

_FOLDER = "workbooks"
_KEPT_SECONDS = 86_400  # a day: far longer than a step reads


@contextmanager
def new_copy() -> Iterator[Path]:
    """An empty file to copy a workbook into; it is gone at the end, unless it was kept."""
    with new_part(_folder()) as part:
        yield part


def keep_copy(part: Path, sha256: str, name: str) -> None:
    """Keep a finished copy. Its own name stays: a csv file is known by it, and gives its sheet the name."""
    place = _folder() / sha256 / name
    with disk_errors(_folder()):
        make_private(place.parent)
        part.replace(place)


def find_copy(sha256: str, name: str) -> Path | None:
    """Where the copy lies, which is in use from now on; None where it must be made."""
    place = _folder() / sha256 / name
    try:
        os.utime(place)
    except FileNotFoundError:
        return None
    return place


def sweep_copies() -> None:
    """Remove copies that nobody asked for since yesterday: until then, another load may be reading one."""
    folder = _folder()
    yesterday = time.time() - _KEPT_SECONDS
    for place in (*folder.glob("*/*"), *folder.glob(UNFINISHED.format("*"))):
        with suppress(OSError):
            if place.stat().st_mtime < yesterday:
                place.unlink()
                place.parent.rmdir()  # unless others are in it


def _folder() -> Path:
    return settings().local / _FOLDER
