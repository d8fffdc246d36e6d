"""Staging files in Arrow's format: complete or absent, never trusted without their checksum."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa

from factload.checksum import sha256_of
from factload.staging.disk import disk_errors, open_part
from factload.staging.store import Place, store_of

_DIGITS = 32  # of a digest, in a file's name


def open_table(address: str, sha256: str) -> pa.Table:
    """The Arrow file at ``address``, memory-mapped, after its checksum.

    Raises TransientError ``staging_missing`` or ``staging_altered``: writing it again mends both.
    """
    require_unaltered(address, sha256)
    with mapped(address, sha256) as file:
        return file.read_all()


def require_unaltered(address: str, sha256: str) -> None:
    """Raise TransientError unless the file is there, and its bytes are those that were written."""
    store_of(address).open(address, sha256)


@contextmanager
def mapped(address: str, sha256: str) -> Iterator[Any]:
    """The Arrow file at ``address``, memory-mapped, as its reader. Raises TransientError ``staging_missing``."""
    with store_of(address).map(address, sha256) as source:
        yield pa.ipc.open_file(source)


def name_with(sha256: str, name: str) -> str:
    """``name`` with the digest's first digits in the place of ``{sha256}``."""
    return name.replace("{sha256}", sha256[:_DIGITS])


class StagingFile:
    """An Arrow file in the making, under a temporary name on this machine's disk."""

    def __init__(self, place: Place, schema: pa.Schema) -> None:
        self._place = place
        with disk_errors(place.folder):
            self._part, descriptor = open_part(place.folder)
            self._file = os.fdopen(descriptor, "wb")
            self._writer: Any = pa.ipc.new_file(self._file, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        with disk_errors(self._place.folder, batch.nbytes):
            self._writer.write_batch(batch)

    def commit(self, name: str) -> tuple[str, str]:
        """Make it durable, then visible as ``name``; its address and SHA-256.

        ``{sha256}`` in the name stands for the digest's first digits: nothing else ever replaces such a file.
        """
        with disk_errors(self._place.folder):
            self._writer.close()
            self._file.close()
            sha256 = sha256_of(self._part)
            return self._place.put(self._part, name_with(sha256, name), sha256), sha256

    def discard(self) -> None:
        """Leave nothing behind. Does nothing after a commit."""
        with suppress(OSError, pa.ArrowInvalid):
            self._file.close()
        self._part.unlink(missing_ok=True)
