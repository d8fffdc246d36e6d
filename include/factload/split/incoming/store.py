"""A workbook that is received on this machine, and put into an object store as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from factload.split.incoming.place import Place
from factload.split.incoming.received import Received
from factload.split.remote import create, overwrite
from factload.staging.copies import new_copy


@contextmanager
def received_for_store(place: Place, most: int) -> Iterator[Received]:
    """As ``received_in_folder``, for a place in a store. Raises what ``split.remote`` raises."""
    with new_copy() as part, part.open("r+b", buffering=0) as file:
        yield _ForStore(place, file.fileno(), most, part)


class _ForStore(Received):
    def __init__(self, place: Place, file: int, most: int, part: Path) -> None:
        super().__init__(place, file, most)
        self._part = part

    def _create(self) -> bool:
        return create(self._part, self.place.path)

    def _replace(self) -> None:
        overwrite(self._part, self.place.path)
