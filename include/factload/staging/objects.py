"""Staging in an object store: S3 and what speaks its protocol, Google Cloud Storage, Azure; reached by fsspec.

Objects are created once, under names that hold their content's digest, and nothing is listed to be found: none can be
stale. An upload that is interrupted leaves no object; whatever is read is compared with its SHA-256 first.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from factload.checksum import sha256_of
from factload.errors import FactloadError, FeedError, TransientError
from factload.settings import STORES
from factload.staging.cache import Cache
from factload.staging.connections import options_of
from factload.staging.disk import new_part
from factload.staging.store_errors import (
    is_there_already,
    knows_no_condition,
    missing_bucket,
    patiently,
    store_errors,
)
from factload.staging.whole import altered, is_unaltered

_log = logging.getLogger(__name__)

_PIECE_BYTES = 8 << 20  # of a file on its way; as many as ``_AT_ONCE`` are in memory
_AT_ONCE = 4
_UPLOAD_SECONDS, _UPLOAD_BYTES_A_SECOND = 25.0, 500_000
_PATIENCE_WITH_REMOVAL = 5.0  # seconds: what stays is swept later
_FILE_SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "s3": {"default_block_size": _PIECE_BYTES, "max_concurrency": _AT_ONCE},
    "gs": {},
    "abfs": {"max_concurrency": _AT_ONCE},
}
_UPLOADS: Mapping[str, Mapping[str, Any]] = {
    "s3": {"chunksize": _PIECE_BYTES},
    "gs": {"chunksize": _PIECE_BYTES},
    "abfs": {},
}
_LAST_CHANGE = ("LastModified", "last_modified", "mtime", "updated")  # as the packages call it


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """Where the files of one attempt go: made in ``folder`` on this machine, then put below ``url``."""

    store: ObjectStore
    url: str
    folder: Path

    def address(self, name: str) -> str:
        """The URL of the file called ``name``."""
        return f"{self.url}/{name}"

    def put(self, made: Path, name: str, sha256: str) -> str:
        """Put the file into the store; its URL."""
        self.store.put(made, self.address(name), sha256)
        return self.address(name)


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """The store below ``url``; ``cache`` has what this machine knows of it."""

    url: str
    connection: str
    cache: Cache

    def place(self, load_id: str, epoch: int) -> ObjectPlace:
        """Where the files of one attempt go."""
        return ObjectPlace(self, f"{self.url}/{load_id}/{epoch}", self.cache.folder)

    def put(self, made: Path, address: str, sha256: str) -> None:
        """Create the object, and take the file into the cache.

        An object of the name that is there already is left alone if it is the same, else overwritten.
        """
        with store_errors(self.url, self.cache.folder):
            try:
                self._upload(made, address, mode="create")
            except FileNotFoundError as error:
                raise missing_bucket(self.url) from error
            except Exception as error:
                if not (is_there_already(error) or knows_no_condition(error)):
                    raise
                if knows_no_condition(error) or not self._is_whole(address, sha256):
                    self._upload(made, address, mode="overwrite")
        self.cache.add(made, sha256)

    def open(self, address: str, sha256: str) -> Path:
        """The file on this machine, after its checksum."""
        path = self.cache.find(sha256)
        if path is None:
            return self._fetched(address, sha256)
        with suppress(FileNotFoundError):  # another process needed its room in this very moment
            if is_unaltered(path, sha256, marked=True):
                return path
        return self._fetched(address, sha256, again=True)

    def map(self, address: str, sha256: str) -> pa.MemoryMappedFile:
        """The file, memory-mapped, without another look at its checksum as long as this machine has it."""
        while True:
            path = self.cache.find(sha256) or self._fetched(address, sha256)
            try:
                return pa.memory_map(str(path))
            except FileNotFoundError:
                continue

    def loads(self) -> dict[str, str]:
        """Load → where its files lie, of all loads that have any; in stores that keep empty folders, that had any."""
        with store_errors(self.url, self.cache.folder):
            try:
                listing = partial(self._files.ls, self._path(self.url), detail=False)
                found = patiently(listing, _PATIENCE_WITH_REMOVAL)
            except FileNotFoundError:
                return {}
        names = (name.rstrip("/").rpartition("/")[2] for name in found)
        return {name: f"{self.url}/{name}" for name in names if "@" in name}

    def age(self, load_id: str) -> float | None:
        """Seconds since the youngest of the load's files was written, by the store's clock; None without any."""
        written = [last_change(found) for found in self._objects(load_id).values()]
        return time.time() - max(written) if written else None

    def delete(self, load_id: str, *, below: int) -> None:
        """Remove the files of the load's epochs below this one. Safe at any time, however late it is done.

        What can't be removed now stays until it is swept, and is logged.
        """
        above = self._path(f"{self.url}/{load_id}")
        try:
            epochs = {
                name: name.removeprefix(above).strip("/").partition("/")[0] for name in self._objects(load_id)
            }
            gone = [name for name, epoch in epochs.items() if epoch.isdecimal() and int(epoch) < below]
            if gone:
                with store_errors(self.url, self.cache.folder):
                    patiently(partial(self._files.rm, gone), _PATIENCE_WITH_REMOVAL)
        except (FactloadError, FileNotFoundError) as error:
            _log.warning("staging of %s could not be removed from the store: %s", load_id, error)

    def _objects(self, load_id: str) -> dict[str, Mapping[str, Any]]:
        with store_errors(self.url, self.cache.folder):
            try:
                listing = partial(self._files.find, self._path(f"{self.url}/{load_id}"), detail=True)
                found = patiently(listing, _PATIENCE_WITH_REMOVAL)
            except FileNotFoundError:
                return {}
        # Some stores show folders among the objects, also those that are empty by now.
        return {name: object_ for name, object_ in found.items() if object_["type"] == "file"}

    def _fetched(self, address: str, sha256: str, *, again: bool = False) -> Path:
        """The file out of the store, by the first of this machine's processes that needs it.

        ``again``: what the cache has is damaged.
        """
        name = address.rpartition("/")[2]
        with self.cache.one_at_a_time(sha256):
            if not again and (there := self.cache.find(sha256)) is not None:
                return there
            with new_part(self.cache.folder) as part:
                try:
                    with store_errors(self.url, self.cache.folder):
                        self._download(address, part)
                except FileNotFoundError as error:
                    raise TransientError(
                        "staging_missing",
                        f"The staging file {name} is gone from the store",
                        expected="a store in which nothing younger than FACTLOAD_STAGING_DAYS is removed by others",
                        remedy="Run the step that writes it again",
                    ) from error
                if sha256_of(part) != sha256:
                    raise altered(name)
                return self.cache.add(part, sha256)

    def _is_whole(self, address: str, sha256: str) -> bool:
        """Whether the object has these bytes. It may be there because the answer to its upload was lost."""
        with new_part(self.cache.folder) as there:
            self._download(address, there)
            return sha256_of(there) == sha256

    def _upload(self, made: Path, address: str, *, mode: str) -> None:
        options = _UPLOADS[_protocol(self.url)]
        # A store that says nothing before it takes the content ("100 Continue") is waited for without any bound.
        seconds = _UPLOAD_SECONDS + made.stat().st_size / _UPLOAD_BYTES_A_SECOND
        put = self._files.put_file
        patiently(partial(put, str(made), self._path(address), mode=mode, timeout=seconds, **options))

    def _download(self, address: str, part: Path) -> None:
        patiently(partial(self._files.get_file, self._path(address), str(part)))

    @property
    def _files(self) -> Any:
        return file_system(self.url, self.connection)[0]

    def _path(self, address: str) -> str:
        """How the file system calls an object of this store."""
        if not f"{address}/".startswith(f"{self.url}/"):
            raise FeedError(
                "staging_elsewhere",
                f"the staging file {address} does not lie in this worker's store, {self.url}",
                expected="the same FACTLOAD_STAGING on all workers",
                remedy="Set it so, and run the load again",
            )
        return str(file_system(self.url, self.connection)[1] + address.removeprefix(self.url))


@lru_cache(maxsize=4)
def file_system(url: str, connection: str) -> tuple[Any, str]:
    """The file system of a store, and what it calls the place at ``url``.

    Raises ``FeedError`` ``protocol_unknown`` where its package is not installed, and what ``options_of`` raises.
    """
    from fsspec.core import url_to_fs

    protocol = _protocol(url)
    options = {**_FILE_SYSTEMS[protocol], **options_of(protocol, connection)}
    try:
        files, path = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **options)
    except ImportError as error:
        raise FeedError(
            "protocol_unknown",
            f"FACTLOAD_STAGING is {url}, and the package that reaches it is not installed",
            expected=STORES[protocol],
            remedy=f"pip install {STORES[protocol]}, on all workers",
        ) from error
    if protocol == "s3":
        files.retries = 1  # ``patiently`` tries again
        if "AWS_MAX_ATTEMPTS" not in os.environ:
            files.config_kwargs["retries"] = {"max_attempts": 1}
    return files, path.rstrip("/")


os.register_at_fork(after_in_child=file_system.cache_clear)  # connections and their thread are of one process


def _protocol(url: str) -> str:
    return url.partition("://")[0]


def last_change(found: Mapping[str, Any]) -> float:
    """When a listed object was written, in seconds since 1970; now, where the store doesn't say: it is never swept."""
    when = next((found[name] for name in _LAST_CHANGE if found.get(name)), None) or datetime.now(UTC)
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    return float(when.timestamp())
