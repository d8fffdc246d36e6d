"""Where staging lies: can it be written, and does the biggest workbook fit on this machine's disk?"""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

from factload.doctor.clock import compared
from factload.doctor.finding import Finding
from factload.environment import text
from factload.errors import FactloadError, TransientError
from factload.settings import is_url, settings
from factload.staging.disk import megabytes, nearest
from factload.staging.probe import Probe, probe_store

# A zipped sheet's rows as Arrow files, and its dimension maps with the spool they are sorted in.
ROOM_PER_WORKBOOK_BYTE = 10
CLOCK_WARNING = timedelta(minutes=1)
CLOCK_PROBLEM = timedelta(minutes=15)  # from there on S3 refuses what is signed


def staging_place() -> list[Finding]:
    """Whether staging files can be written, and the room they have; of a store also whether it is fit for them."""
    here = settings()
    if is_url(here.staging):
        return [*_store(here.staging), _folder(here.local, "FACTLOAD_CACHE")]
    return [_folder(here.local, "FACTLOAD_STAGING")]


def _store(url: str) -> list[Finding]:
    try:
        probe = probe_store(url, text("FACTLOAD_STAGING_CONNECTION"))
    except FactloadError as error:
        return [Finding.of("staging store", url, error)]
    return [store_finding(url, probe), store_clock_finding(url, probe)]


def store_finding(url: str, probe: Probe) -> Finding:
    """What the store does with an object."""
    seen = "an object was written, read, listed and deleted"
    if probe.creates_once:
        return Finding.ok("staging store", url, f"{seen}; what is there is not created again")
    return Finding.ok(
        "staging store", url, f"{seen}; what is there can be written again, with the same bytes"
    )


def store_clock_finding(url: str, probe: Probe) -> Finding:
    """How far the store's clock is off this machine's. Stores say when an object was written in whole seconds."""
    second = timedelta(seconds=1)
    off, seen = compared("store", probe.before - second, probe.written, probe.after)
    if off <= CLOCK_WARNING:
        return Finding.ok("clock", url, "the store's clock and this machine's agree")
    remedy = (
        "Let both follow NTP: staging is swept by the store's clock, and S3 refuses requests of another time"
    )
    if off < CLOCK_PROBLEM:
        return Finding.warning("clock", url, seen, remedy)
    return Finding.problem("clock", url, seen, remedy, TransientError.exit_status)


def _folder(folder: Path, setting: str) -> Finding:
    there = nearest(folder)
    remedy = f"Correct {setting}, or the rights on that folder"
    if not there.is_dir():
        return Finding.problem("staging", str(folder), f"{there} is no folder", remedy)
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding.problem("staging", str(folder), f"{there} can't be written by this user", remedy)
    biggest = _biggest_workbook(settings().allowed_roots)
    return room_finding(str(folder), shutil.disk_usage(there).free, biggest, setting)


def room_finding(place: str, free: int, biggest: tuple[int, str], setting: str) -> Finding:
    """Whether ``free`` bytes are enough for the ``biggest`` workbook (bytes, path); ``setting`` names the place."""
    size, workbook = biggest
    seen = f"{megabytes(free)} free"
    if size:
        seen += f"; the biggest workbook has {megabytes(size)}: {workbook}"
    remedy = f"Free space, or move {setting}: a load takes about {ROOM_PER_WORKBOOK_BYTE} times its workbook"
    if free < size:
        return Finding.problem("staging", place, seen, remedy)
    if free < size * ROOM_PER_WORKBOOK_BYTE:
        return Finding.warning("staging", place, seen, remedy)
    return Finding.ok("staging", place, seen)


def _biggest_workbook(roots: tuple[Path, ...]) -> tuple[int, str]:
    biggest = (0, "")
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder, name)
                if path.is_file():
                    biggest = max(biggest, (path.stat().st_size, str(path)))
    return biggest
