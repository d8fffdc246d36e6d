"""The folder of one attempt's staging files: where it lies, and how those of older attempts go."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from factload.load import Load
from factload.settings import settings


def folder_of(load: Load) -> Path:
    """Where the staging files of this attempt lie: its own, so that no older one can touch them."""
    return settings().staging / load.load_id / str(load.epoch)


def remove_folders(parent: Path, *, below: int) -> None:
    """Remove a load's folders of epochs below this one. Safe at any time, however late it is done."""
    for folder in parent.iterdir() if parent.is_dir() else ():
        if folder.name.isdecimal() and int(folder.name) < below:
            shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # a newer attempt's folder may be in it
        parent.rmdir()
