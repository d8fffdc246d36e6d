"""Staging in a folder: the local disk, or one that all workers mount."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from factload.staging.whole import missing_is_a_fault, require_unaltered


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder for the files of one attempt; whatever makes files only to read them again uses one, too."""

    folder: Path

    def address(self, name: str) -> str:
        """The absolute path of the file called ``name``."""
        return str((self.folder / name).absolute())

    def put(self, made: Path, name: str, sha256: str) -> str:
        """Make the file durable, then visible as ``name`` (replacing what was there); its address."""
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(self.folder / name)
        return self.address(name)


@dataclass(frozen=True, slots=True)
class FolderStore:
    """The store whose places are folders: ``root/load/epoch``."""

    root: Path

    def place(self, load_id: str, epoch: int) -> FolderPlace:
        """Where the files of one attempt go."""
        return FolderPlace(self.root / load_id / str(epoch))

    def open(self, address: str, sha256: str) -> Path:
        """The file, after its checksum."""
        path = Path(address)
        require_unaltered(path, sha256)
        return path

    def map(self, address: str, sha256: str) -> pa.MemoryMappedFile:
        """The file, memory-mapped, without another look at its checksum."""
        with missing_is_a_fault(Path(address)):
            return pa.memory_map(address)

    def loads(self) -> dict[str, str]:
        """Load → where its files lie, of all loads that have any."""
        found = self.root.glob("*@*/*")
        return {path.parent.name: str(path.parent) for path in found if path.name.isdecimal()}

    def age(self, load_id: str) -> float | None:
        """Seconds since the youngest of the load's files was written; None where there are none."""
        folder = self.root / load_id
        written = []
        for path in (folder, *folder.rglob("*")):
            with suppress(FileNotFoundError):  # a newer attempt removes what is older
                written.append(path.stat().st_mtime)
        return time.time() - max(written) if written else None

    def delete(self, load_id: str, *, below: int) -> None:
        """Remove the files of the load's epochs below this one. Safe at any time, however late it is done."""
        parent = self.root / load_id
        for folder in parent.iterdir() if parent.is_dir() else ():
            if folder.name.isdecimal() and int(folder.name) < below:
                shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # a newer attempt's folder may be in it
            parent.rmdir()
