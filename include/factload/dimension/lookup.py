"""Business keys to surrogate keys, by binary search in a dimension map.

A map is memory-mapped range by range (``map_file`` says what a range is), and let go of again: of a large one
no more than a range is in memory, of a small one all of it, shared by all tasks on a machine. NULL or blank keys
match nothing, on either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from factload.dimension.key_hash import Hashes, hash_keys
from factload.load import DimensionMap
from factload.staging.files import mapped, require_unaltered
from factload.vectors import Flags, Positions, as_flags, integers, masked

SALT = b"salt"
AsOfMicros = npt.NDArray[np.int64]
ALWAYS, FOREVER = -(1 << 63), (1 << 63) - 1  # the open ends of a member's validity


@dataclass(frozen=True, slots=True)
class Members:
    """An opened map: a staging file, and what stands in it. ``ranges``: how many record batches it has, a power of
    two."""

    address: str
    sha256: str
    salt: int
    ranges: int
    surrogate: pa.DataType
    timed: bool

    def range(self, number: int) -> pa.RecordBatch:
        """The members of one range, as long as the batch lives."""
        with mapped(self.address, self.sha256) as file:
            return file.get_batch(number)


@dataclass(frozen=True, slots=True)
class LookupResult:
    """For each key the ``surrogate`` key of its member, or null, and whether any member has the key at all."""

    surrogate: pa.Array
    key_known: Flags


def open_members(staged: DimensionMap) -> Members:
    """The map in a staging file; raises TransientError when the file is not what was written."""
    require_unaltered(staged.path, staged.sha256)
    with mapped(staged.path, staged.sha256) as file:
        schema = file.schema
        return Members(
            address=staged.path,
            sha256=staged.sha256,
            salt=int(schema.metadata[SALT]),
            ranges=file.num_record_batches,
            surrogate=schema.field("surrogate").type,
            timed="start" in schema.names,
        )


def range_of(hashes: Hashes, ranges: int) -> Positions:
    """In which of the ``ranges`` (a power of two) each hash lies: its first bits."""
    if ranges == 1:
        return np.zeros(len(hashes), np.int64)
    return (hashes >> np.uint64(65 - ranges.bit_length())).astype(np.int64)


def look_up(keys: pa.Array, members: Members, moments: AsOfMicros | None = None) -> LookupResult:
    """The members that have the (normalised, joined) ``keys``: with a history, those valid at the ``moments``.

    ``keys``: strings, one a row. ``moments``: for each the microseconds since 1970. A binary search by hash finds
    the one key that can match; the keys themselves decide whether it does.
    """
    hashes = hash_keys(keys, members.salt)
    if members.ranges == 1:
        return _search(keys, hashes, members.range(0), moments)
    place = range_of(hashes, members.ranges)
    order = np.argsort(place, kind="stable")
    bounds = np.searchsorted(place[order], np.arange(members.ranges + 1)).tolist()
    parts = []
    for number, (start, end) in enumerate(pairwise(bounds)):
        if end > start:
            rows = order[start:end]
            when = moments[rows] if moments is not None else None
            parts.append(_search(keys.take(integers(rows)), hashes[rows], members.range(number), when))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    surrogates = [part.surrogate for part in parts] or [pa.nulls(0, members.surrogate)]
    known = [part.key_known for part in parts] or [np.zeros(0, np.bool_)]
    return LookupResult(pa.concat_arrays(surrogates).take(integers(back)), np.concatenate(known)[back])


def _search(
    keys: pa.Array, hashes: Hashes, members: pa.RecordBatch, moments: AsOfMicros | None
) -> LookupResult:
    if not members.num_rows:
        return LookupResult(pa.nulls(len(keys), members["surrogate"].type), np.zeros(len(keys), np.bool_))
    ordered = members["hash"].to_numpy().view(np.uint64)
    first = _places(ordered, hashes)
    nearest = np.minimum(first, len(ordered) - 1)
    known = as_flags(pc.equal(members["key"].take(integers(nearest)), keys))  # false for a null key
    found, place = known, nearest
    if moments is not None:
        place, valid = _valid_at(moments, first, ordered, hashes, members)
        found = known & valid
    return LookupResult(members["surrogate"].take(masked(place, pa.int64(), found)), known)


def _places(ordered: Hashes, hashes: Hashes, side: Literal["left", "right"] = "left") -> Positions:
    """Where each hash would stand. Looked for in their own order, where each is near the last, they take a third of the
    time."""
    order = np.argsort(hashes)
    places = np.empty_like(order)
    places[order] = np.searchsorted(ordered, hashes[order], side)
    return places


def _valid_at(
    moments: AsOfMicros, first: Positions, ordered: Hashes, hashes: Hashes, members: pa.RecordBatch
) -> tuple[Positions, Flags]:
    """Of the members with each hash the last that began at its moment or before, and whether it hadn't ended."""
    starts, ends = (members[name].to_numpy() for name in ("start", "end"))
    low, high = first.copy(), _places(ordered, hashes, side="right")
    while (open_ := low < high).any():
        middle = (low + high) // 2
        begun = open_ & (starts[np.minimum(middle, len(starts) - 1)] <= moments)
        low = np.where(begun, middle + 1, low)
        high = np.where(open_ & ~begun, middle, high)
    place = np.maximum(low - 1, 0)
    return place, (low > first) & (moments < ends[place])
