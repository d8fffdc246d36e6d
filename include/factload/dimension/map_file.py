"""The file of a dimension map: members in the order of a hash of their keys.

They are sorted one range of hashes at a time: what is held in memory is a range, however many members there are. A
record batch of the file is a range; their number is a power of two, so that the first bits of a hash say which batch
to look in.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.dimension.key_hash import hash_keys
from factload.dimension.lookup import SALT, range_of
from factload.dimension.normalize import shown_key
from factload.errors import RowsRefused
from factload.feed.dimensions import Dimension
from factload.staging.disk import disk_errors, make_private
from factload.staging.files import StagingFile
from factload.staging.store import Place
from factload.vectors import flags, integers

_NAMED_AT_MOST = 5
RANGE_BYTES = 8 << 20  # of the spool file; a range takes about ten times that while it is sorted
_MAX_RANGES = 512  # files open at once


def map_schema(surrogate: pa.DataType, dimension: Dimension, salt: int) -> pa.Schema:
    """The columns of a map: ``key`` (joined), ``surrogate``, for a history ``start`` and ``end`` (microseconds since
    1970, the end not included), ``hash``. In the order of the hashes, then of the starts."""
    history = [("start", pa.int64()), ("end", pa.int64())] if dimension.as_of is not None else []
    fields = [("key", pa.string()), ("surrogate", surrogate), *history, ("hash", pa.int64())]
    return pa.schema(fields, metadata={SALT: str(salt)})


def ranges_for(size: int) -> int:
    """Into how many ranges the members of a spool file of so many bytes are parted."""
    ranges = 1
    while ranges * RANGE_BYTES < size and ranges < _MAX_RANGES:
        ranges *= 2
    return ranges


@contextmanager
def temporary_file(place: Place) -> Iterator[IO[bytes]]:
    """A private file on the disk where staging files are written, gone once it is closed."""
    with disk_errors(place.folder):
        make_private(place.folder)
        with tempfile.TemporaryFile(dir=place.folder) as file:
            yield file


class Sorting:
    """Members on their way into a map: parted by range into temporary files, then sorted range by range."""

    def __init__(self, schema: pa.Schema, ranges: int, place: Place) -> None:
        self.rows = 0
        self._schema, self._ranges, self._place = schema, ranges, place
        self._open = ExitStack()
        self._files = [self._open.enter_context(temporary_file(place)) for _ in range(ranges)]
        self._writers: list[Any] = [pa.ipc.new_stream(file, schema) for file in self._files]

    def close(self) -> None:
        self._open.close()

    def add(self, arrays: list[pa.Array], salt: int) -> None:
        """Put each member into the file of its range."""
        hashes = hash_keys(arrays[0], salt)
        hashed = [*arrays, integers(hashes.view(np.int64))]
        members = pa.RecordBatch.from_arrays(hashed, schema=self._schema)
        self.rows += members.num_rows
        place = range_of(hashes, self._ranges)
        order = np.argsort(place, kind="stable")
        bounds = np.searchsorted(place[order], np.arange(self._ranges + 1)).tolist()
        members = members.take(integers(order))
        with disk_errors(self._place.folder, members.nbytes):
            for writer, start, end in zip(self._writers, bounds[:-1], bounds[1:], strict=True):
                if end > start:
                    writer.write_batch(members.slice(start, end - start))

    def commit(self, name: str, dimension: Dimension) -> tuple[str, str] | None:
        """Sort the ranges into the map; its address and digest, or nothing when keys collide under this salt.

        Raises ``RowsRefused`` for members that are the same, once all of them are known.
        """
        same: list[pa.Array] = []
        collide = False
        staged = StagingFile(self._place, self._schema)
        try:
            for file, writer in zip(self._files, self._writers, strict=True):
                with disk_errors(self._place.folder):
                    writer.close()
                    file.seek(0)
                    members = pa.ipc.open_stream(file).read_all().combine_chunks()
                members, again, different = sorted_members(members)
                same.append(again)
                collide |= different
                staged.write(_one_batch(members))
            doubled = pa.concat_arrays(same).unique()
            if len(doubled):
                raise _same_members(dimension, doubled)
            return None if collide else staged.commit(name)
        finally:
            staged.discard()


def _one_batch(members: pa.Table) -> pa.RecordBatch:
    columns = [column.combine_chunks() for column in members.columns]
    return pa.RecordBatch.from_arrays(columns, schema=members.schema)


def sorted_members(members: pa.Table) -> tuple[pa.Table, pa.Array, bool]:
    """``members`` in the order of a map; the keys that two of them have (at the same time); and whether two
    different keys have the same hash."""
    hashes = members["hash"].to_numpy().view(np.uint64)
    timed = "start" in members.column_names
    order = np.lexsort((members["start"].to_numpy(), hashes)) if timed else np.argsort(hashes)
    members = members.take(integers(order)).combine_chunks()
    hashes = hashes[order]
    twins = np.flatnonzero(hashes[1:] == hashes[:-1])
    first, second = (members["key"].take(integers(at)).combine_chunks() for at in (twins, twins + 1))
    equal = pc.equal(first, second)
    same = equal
    if timed:
        starts, ends = members["start"].to_numpy(), members["end"].to_numpy()
        same = pc.and_(equal, flags(starts[twins + 1] < ends[twins]))
    return members, first.filter(same), not pc.all(equal, min_count=0).as_py()


def _same_members(dimension: Dimension, doubled: pa.Array) -> RowsRefused:
    shown = ", ".join(sorted(shown_key(key.as_py()) for key in doubled[:_NAMED_AT_MOST]))
    more = len(doubled) - _NAMED_AT_MOST
    timed = dimension.as_of is not None
    named = ", ".join(dimension.business_key)
    steps = str(dimension.normalize)
    return RowsRefused(
        "dimension_overlap" if timed else "dimension_duplicate_keys",
        f"{len(doubled)} business keys of {dimension.table} belong to more than one member"
        f"{' at the same time' if timed else ''}: {shown}" + (f" and {more} more" if more > 0 else ""),
        expected=f"each {named} once{' at any moment' if timed else ''}"
        + (f", after {steps}" if steps else ""),
        remedy="Correct the dimension, or its `normalize` steps in the feed",
    )
