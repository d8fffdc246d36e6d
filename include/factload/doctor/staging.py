"""The staging folder: can it be made and written, and does the biggest workbook fit?"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from factload.doctor.finding import Finding
from factload.settings import settings
from factload.staging.files import megabytes

# A zipped sheet's rows as Arrow files, and its dimension maps with the spool they are sorted in.
ROOM_PER_WORKBOOK_BYTE = 10


def staging_place() -> list[Finding]:
    """Whether staging files can be written, and the room they have."""
    here = settings()
    place = str(here.staging)
    nearest = next(p for p in (here.staging, *here.staging.parents) if p.exists())
    remedy = "Correct FACTLOAD_STAGING, or the rights on that folder"
    if not nearest.is_dir():
        return [Finding.problem("staging", place, f"{nearest} is no folder", remedy)]
    if not os.access(nearest, os.W_OK | os.X_OK):
        return [Finding.problem("staging", place, f"{nearest} can't be written by this user", remedy)]
    free = shutil.disk_usage(nearest).free
    return [room_finding(place, free, _biggest_workbook(here.allowed_roots))]


def room_finding(place: str, free: int, biggest: tuple[int, str]) -> Finding:
    """Whether ``free`` bytes are enough for the ``biggest`` workbook (bytes, path)."""
    size, workbook = biggest
    seen = f"{megabytes(free)} free"
    if size:
        seen += f"; the biggest workbook has {megabytes(size)}: {workbook}"
    remedy = f"Free space, or move FACTLOAD_STAGING: a load takes about {ROOM_PER_WORKBOOK_BYTE} times its workbook"
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
