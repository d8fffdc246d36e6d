"""What a file is known by."""

from __future__ import annotations

import hashlib
from io import BufferedReader
from typing import Literal, Protocol


class _Openable(Protocol):
    def open(self, mode: Literal["rb"], /) -> BufferedReader: ...


def sha256_of(path: _Openable) -> str:
    """The hex SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
