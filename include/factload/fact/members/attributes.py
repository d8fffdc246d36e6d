"""What the rows of a load say of members that may be made of them, settled before any row is loaded.

Partitions are loaded in any order, side by side, and whichever comes first makes a member. So all rows of a member must
say the same by then. The partition files are read through once after they are written; where rows disagree, their
files are written anew: these rows are rejects, or all of them say what the first or the last one does.

What is held of a member is three numbers, hashes of its key and of what is said of it; of those that rows seem to
disagree about, all of it, which then is compared as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.dimension.key_hash import Hashes, hash_keys
from factload.dimension.normalize import join_parts
from factload.fact.rejected import with_rejects
from factload.fact.resolve import key_parts
from factload.feed.model import Feed
from factload.load import PartitionFile, Split
from factload.split.fields import attribute_field, key_fields
from factload.split.partitions import rewritten
from factload.staging.files import open_table
from factload.staging.store import Place
from factload.vectors import Flags, as_flags, flags, integers

REASON = "attributes_disagree"
_KEY, _SAID, _PLACE, _DISPUTED = "key", "said", "place", "disputed"
_SALTS = (1, 2)
_SHOWN_AT_MOST = 5
_ROW_BITS = 32  # of a place: the number of a partition, then that of a row
_ROWS = (1 << _ROW_BITS) - 1


def settle_attributes(split: Split, feed: Feed, place: Place) -> Split:
    """``split``, whose rows all say the same of a member. ``feed``: as its partition files were read; ``place``: where
    changed files are written. Raises ``TransientError``."""
    for name, dimension in feed.dimensions.items():
        if dimension.unmatched.attributes:
            split = _Settling(feed, name, place).settled(split)
    return split


@dataclass(frozen=True, slots=True)
class _Settling:
    """One dimension's attributes."""

    feed: Feed
    name: str
    place: Place

    def settled(self, split: Split) -> Split:
        suspects = self._suspects(split.partitions)
        if not len(suspects):
            return split
        said = self._what_counts(split.partitions, suspects)
        said = said.filter(said[_DISPUTED]).combine_chunks()
        if not said.num_rows:
            return split
        partitions = list(split.partitions)
        for number, rows, keys in self._keyed(split.partitions):
            at = pc.index_in(keys, value_set=said[_KEY].combine_chunks(), skip_nulls=True)
            if (which := as_flags(at.is_valid())).any():
                partitions[number] = rewritten(
                    partitions[number], self._changed(rows, which, said.take(at)), self.place
                )
        warnings = (*split.warnings, *self._warnings(split, said))
        return replace(split, partitions=tuple(partitions), warnings=warnings)

    @property
    def _fields(self) -> list[str]:
        attributes = self.feed.dimensions[self.name].unmatched.attributes
        return [attribute_field(self.name, column) for column in attributes]

    def _keyed(self, partitions: Sequence[PartitionFile]) -> Iterator[tuple[int, pa.Table, pa.Array]]:
        """Of each partition whose sheet has all columns: its number, its rows, and each one's key, null in a reject."""
        needed = {*key_fields(self.feed, self.name), *self._fields}
        for number, partition in enumerate(partitions):
            rows = open_table(partition.path, partition.sha256).combine_chunks()
            if rows.num_rows and needed <= set(rows.column_names):
                keys = join_parts(key_parts(rows, self.feed, self.name))
                readable = pc.is_null(rows["reason"].combine_chunks())
                yield number, rows, pc.if_else(readable, keys, pa.scalar(None, pa.string()))

    def _said(self, rows: pa.Table) -> pa.Array:
        """What each row says of its member, as one text."""
        return join_parts([_marked(rows[field].combine_chunks()) for field in self._fields])

    def _suspects(self, partitions: Sequence[PartitionFile]) -> Hashes:
        """The hashes of keys of which rows seem to say different things."""
        known = np.empty((3, 0), np.uint64)
        suspects = np.empty(0, np.uint64)
        for _, rows, keys in self._keyed(partitions):
            keyed = keys.is_valid()
            said = self._said(rows).filter(keyed)
            new = np.stack([hash_keys(keys.filter(keyed)), *(hash_keys(said, salt) for salt in _SALTS)])
            known = np.concatenate([known, new], axis=1)
            known = known[:, np.argsort(known[0], kind="stable")]
            same = known[0, 1:] == known[0, :-1]
            differ = same & (known[1:, 1:] != known[1:, :-1]).any(axis=0)
            suspects = np.union1d(suspects, known[0, 1:][differ])
            known = known[:, np.concatenate([[True], ~same])] if known.shape[1] else known
        return suspects

    def _what_counts(self, partitions: Sequence[PartitionFile], suspects: Hashes) -> pa.Table:
        """A row for each of these keys: what counts of it, where it stands, and whether rows really disagree."""
        last = self.feed.dimensions[self.name].unmatched.disagree == "last"
        counts: pa.Table | None = None
        for number, rows, keys in self._keyed(partitions):
            which = as_flags(keys.is_valid()) & np.isin(hash_keys(keys), suspects)
            if which.any():
                found = self._with_places(number, rows.filter(flags(which)), keys.filter(flags(which)))
                every = found if counts is None else pa.concat_tables([counts, found]).combine_chunks()
                counts = _reduced(every, last=last)
        assert counts is not None  # noqa: S101 - suspects come of these partitions
        return counts

    def _with_places(self, number: int, rows: pa.Table, keys: pa.Array) -> pa.Table:
        """Rows of the partition of this number as rows of ``_what_counts``, about which nobody disagrees yet."""
        places = integers(rows["row"].to_numpy().astype(np.int64) + (number << _ROW_BITS))
        columns = {_KEY: keys, _SAID: self._said(rows), _PLACE: places}
        columns[_DISPUTED] = flags(np.zeros(len(keys), np.bool_))
        return pa.table(columns | {field: rows[field].combine_chunks() for field in self._fields})

    def _changed(self, rows: pa.Table, which: Flags, counts: pa.Table) -> pa.Table:
        """The rows, of which ``which`` are rejects, or say what ``counts`` of each."""
        if self.feed.dimensions[self.name].unmatched.disagree == "reject":
            return with_rejects(rows, which, self._fields, REASON)
        for field in self._fields:
            column = pc.if_else(flags(which), counts[field].combine_chunks(), rows[field].combine_chunks())
            rows = rows.set_column(rows.schema.get_field_index(field), rows.schema.field(field), column)
        return rows

    def _warnings(self, split: Split, said: pa.Table) -> list[str]:
        counts = self.feed.dimensions[self.name].unmatched.disagree
        if counts == "reject":
            return []
        places = sorted(said[_PLACE].to_pylist())
        shown = [
            f"{split.partitions[place >> _ROW_BITS].sheet} row {place & _ROWS:,}"
            for place in places[:_SHOWN_AT_MOST]
        ]
        more = f" and {len(places) - len(shown):,} more" if len(places) > len(shown) else ""
        members = "1 member" if len(places) == 1 else f"{len(places):,} members"
        return [
            f"rows disagree about {members} of dimension {self.name}; the {counts} row of each counts: "
            f"{', '.join(shown)}{more}"
        ]


def _reduced(every: pa.Table, *, last: bool) -> pa.Table:
    """Of each key the first row, or the last; whether any of them says something else than another."""
    key, said = (
        every[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in (_KEY, _SAID)
    )
    rows = len(key)
    _, first = np.unique(key, return_index=True)
    differ = (said != said[first[key]]) | as_flags(every[_DISPUTED].combine_chunks())
    disputed = np.zeros(len(first), np.bool_)
    np.logical_or.at(disputed, key, differ)
    kept = rows - 1 - np.unique(key[::-1], return_index=True)[1] if last else first
    counts = every.take(integers(kept))
    return counts.set_column(
        counts.schema.get_field_index(_DISPUTED), _DISPUTED, flags(disputed)
    ).combine_chunks()


def _marked(values: pa.Array) -> pa.Array:
    """Values as texts, of which none is null and none stands for another."""
    return pc.fill_null(pc.binary_join_element_wise("=", pc.cast(values, pa.string()), ""), "")
