"""Where staging files lie: a folder that workers share, or an object store. Nobody outside of this room joins paths.

A file is put once, under a name that holds its digest, and known from then on by its address, a path or a URL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pyarrow as pa

from factload.environment import number, text
from factload.load import Load
from factload.settings import is_url, settings
from factload.staging.cache import Cache
from factload.staging.folder import FolderStore
from factload.staging.objects import ObjectStore

_CACHE = "cache"


class Place(Protocol):
    """Where the files of one attempt go. They are made in ``folder``, which is on this machine's disk."""

    @property
    def folder(self) -> Path: ...

    def address(self, name: str) -> str:
        """The address that a file of this name has, or would have."""

    def put(self, made: Path, name: str, sha256: str) -> str:
        """Put a finished file of ``folder`` under ``name``; its address. The file itself is taken away."""


class StagingStore(Protocol):
    """Raises, whatever is called: ``TransientError`` where a disk, a network or a store fails, ``FeedError`` where the
    settings or the credentials are wrong."""

    def place(self, load_id: str, epoch: int) -> Place:
        """Where the files of one attempt go: its own, so that no older one can touch them."""

    def open(self, address: str, sha256: str) -> Path:
        """The file on this machine, whole, after its checksum."""

    def map(self, address: str, sha256: str) -> pa.MemoryMappedFile:
        """The file, memory-mapped: of one that was opened before, without another look at its checksum."""

    def loads(self) -> dict[str, str]:
        """Load → where its files lie, of all loads that have any; in some stores also of those that had."""

    def age(self, load_id: str) -> float | None:
        """Seconds since the youngest of the load's files was written; None where there are none."""

    def delete(self, load_id: str, *, below: int) -> None:
        """Remove the files of the load's epochs below this one. Safe at any time, however late it is done."""


def staging_store() -> StagingStore:
    """The store that ``FACTLOAD_STAGING`` names."""
    here = settings()
    if not is_url(here.staging):
        return FolderStore(Path(here.staging))
    cache = Cache(here.local / _CACHE, number("FACTLOAD_CACHE_BYTES"))
    return ObjectStore(here.staging, text("FACTLOAD_STAGING_CONNECTION"), cache)


def store_of(address: str) -> StagingStore:
    """The store of a file; a path is read as one, wherever it lies."""
    return staging_store() if is_url(address) else FolderStore(Path())


def place_of(load: Load) -> Place:
    """Where the files of this attempt go."""
    return staging_store().place(load.load_id, load.epoch)


def delete_older(load: Load, *, published: bool = False) -> None:
    """Remove the staging files of older attempts; of a load that is ``published``, this one's too."""
    staging_store().delete(load.load_id, below=load.epoch + published)
