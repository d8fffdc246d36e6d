"""The local disk under staging files: for the user that loads alone; what it means when it can't be written."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from factload.errors import TransientError
from factload.settings import is_url, settings

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
UNFINISHED = ".{}.part"


def make_private(folder: Path) -> None:
    """Make the folder and those above it that are missing, for this user alone: they hold what workbooks hold."""
    for place in reversed((folder, *folder.parents)):
        if not place.is_dir():
            place.mkdir(mode=0o700, exist_ok=True)


def open_part(folder: Path) -> tuple[Path, int]:
    """A new file in the folder, for this user alone, under a name of unfinished ones; its descriptor, to be written."""
    make_private(folder)
    part = folder / UNFINISHED.format(uuid4().hex)
    return part, os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


@contextmanager
def new_part(folder: Path) -> Iterator[Path]:
    """A new, empty file in the folder, for somebody to write; removed at the end, unless it was renamed by then."""
    with disk_errors(folder):
        part, descriptor = open_part(folder)
        os.close(descriptor)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def disk_errors(folder: Path, needed: int = 0) -> Iterator[None]:
    """A full disk is a fault that passes: it says which, what is free, and the bytes that were ``needed`` next, if
    that is known. Other errors of the disk keep their own words."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_room(folder, needed) from error
        raise TransientError(
            "staging_failed",
            f"The staging folder can't be written ({error.strerror})",
            remedy="Look at the disk",
        ) from error


def no_room(folder: Path, needed: int = 0) -> TransientError:
    """The error of a full disk."""
    free = shutil.disk_usage(nearest(folder)).free
    setting = "FACTLOAD_CACHE" if is_url(settings().staging) else "FACTLOAD_STAGING"
    return TransientError(
        "staging_full",
        f"the disk under the staging folder {folder} is full: {megabytes(free)} are free"
        + (f", {megabytes(needed)} were to be written next" if needed else ""),
        remedy=f"Free space there, or move {setting}; then run the load again",
    )


def nearest(folder: Path) -> Path:
    """What there is of a folder that may not have been made yet: itself, or the one nearest above it."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def megabytes(size: int) -> str:
    """A number of bytes as people read it; a MB is 10^6 bytes."""
    return f"{size / 1e6:,.1f} MB"
