"""A workbook that comes in by upload, and gets into its place whole or not at all.

``place``     where the feed looks for it, and what is there already
``received``  its bytes, as they come
``folder``    into a folder: under a hidden name first, then by a name that nobody else has
``store``     into an object store: as a whole, once all of it is here
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from factload.split.incoming.folder import received_in_folder
from factload.split.incoming.place import Place
from factload.split.incoming.received import Received
from factload.split.incoming.store import received_for_store


def received_at(place: Place, most: int) -> AbstractContextManager[Received]:
    """A workbook of at most so many bytes, to be put at ``place``; what isn't put there leaves nothing."""
    if place.file is None:
        return received_for_store(place, most)
    return received_in_folder(place, place.file, most)
