"""The last safety net: an unexpected exception becomes one sentence, and its traceback goes into a file.

A traceback is no use to who loads a workbook, and may hold what logs may not: a value that couldn't be converted
stands in the words of the library. So it goes to a file that only this user can read, and the sentence says where.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from factload.errors import FactloadError, FeedError, TransientError, Unforeseen
from factload.settings import settings

FOLDER = "tracebacks"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SHORT = {
    errno.EMFILE: "open files (`ulimit -n`)",
    errno.ENFILE: "open files of the whole machine",
    errno.ENOMEM: "memory",
    errno.EAGAIN: "processes or threads (`ulimit -u`)",
}
_PLACE = re.compile(r'File "[^"]*/(factload/[^"]+)", line (\d+)')


def foreseen(error: BaseException) -> FactloadError:
    """The engine's error for any other: itself, what has run short, or ``Unforeseen`` with the traceback's file."""
    if isinstance(error, FactloadError):
        return error
    if short := _has_run_short(error):
        return TransientError(
            "resources_short",
            f"this machine, or this user's limits, ran out of {short}",
            remedy="Lower the feed's `parallelism`, or raise the limit (`ulimit -a`); then run the load again",
        )
    if isinstance(error, OSError) and error.errno in _FULL:
        return TransientError(
            "disk_full",
            f"a disk is full ({error.filename or 'where the output goes'})",
            remedy="Free space there, then run the command again",
        )
    details = "".join(traceback.format_exception(error))
    file = write_details(details)
    told = f"The traceback is in {file}" if file else "The traceback could not be written anywhere"
    return Unforeseen(
        "unforeseen",
        f"a fault of factload itself: {type(error).__name__} at {_place(error, details)}",
        remedy=f"{told}. It may hold values of rows; report what it says. Running the load again does no harm",
    )


def _has_run_short(error: BaseException) -> str:
    if isinstance(error, MemoryError) or "failed to map segment" in str(error):
        return "memory"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "memory or threads"
    return _SHORT.get(error.errno or 0, "") if isinstance(error, OSError) else ""


def _place(error: BaseException, details: str) -> str:
    """The line of ours that was on its way, in the process where it happened."""
    in_the_worker = getattr(error.__cause__, "tb", "")  # what a pool of processes brings along
    found = _PLACE.findall(in_the_worker or details)
    return f"{found[-1][0]}, line {found[-1][1]}" if found else "an unknown line"


def write_details(details: str) -> Path | None:
    """The file, for this user alone, that now holds these details; ``None`` when there is no place for it."""
    now = datetime.now(UTC)
    name = f"{now:%Y-%m-%dT%H-%M-%S}-{os.getpid()}-"
    for folder in (_folder(), Path(tempfile.gettempdir())):
        if folder is not None:
            with suppress(OSError):
                handle, path = tempfile.mkstemp(".txt", name, folder)
                with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(details)
                return Path(path)
    return None


def _folder() -> Path | None:
    """The folder of tracebacks beside staging files; what is as old as aged staging is removed from it."""
    with suppress(OSError, FeedError):  # a disk that is full, settings that are wrong
        here = settings()
        folder = here.local / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.glob("*.txt"):
            if old.stat().st_mtime < time.time() - here.staging_days * 86_400:
                old.unlink(missing_ok=True)
        return folder
    return None
