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
from factload.fact.resolve import key_parts
from factload.feed.model import Feed
from factload.load import PartitionFile, Split
from factload.sheet.reject import NOTED, cells
from factload.split.fields import attribute_field
from factload.split.partitions import rewritten
from factload.split.places import header_of, letter_of
from factload.staging.files import open_table
from factload.staging.store import Place
from factload.vectors import as_flags, flags, integers

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
        partitions = tuple(self._written(partition, said) for partition in split.partitions)
        return replace(split, partitions=partitions, warnings=(*split.warnings, *self._warnings(split, said)))

    @property
    def _fields(self) -> list[str]:
        attributes = self.feed.dimensions[self.name].unmatched.attributes
        return [attribute_field(self.name, column) for column in attributes]

    def _keyed(self, partition: PartitionFile) -> tuple[pa.Table, pa.Array] | None:
        """The rows of a partition file, and each one's key: null in a reject. None if columns weren't found."""
        rows = open_table(partition.path, partition.sha256).combine_chunks()
        if not rows.num_rows or not set(self._fields) <= set(rows.column_names):
            return None
        keys = join_parts(key_parts(rows, self.feed, self.name))
        readable = pc.is_null(rows["reason"].combine_chunks())
        return rows, pc.if_else(readable, keys, pa.scalar(None, pa.string()))

    def _said(self, rows: pa.Table) -> pa.Array:
        """What each row says of its member, as one text."""
        return join_parts([_marked(rows[field].combine_chunks()) for field in self._fields])

    def _suspects(self, partitions: Sequence[PartitionFile]) -> Hashes:
        """The hashes of keys of which rows seem to say different things."""
        known = np.empty((3, 0), np.uint64)
        suspects = np.empty(0, np.uint64)
        for partition in partitions:
            if (found := self._keyed(partition)) is None:
                continue
            rows, keys = found
            keyed = keys.is_valid()
            keys, said = keys.filter(keyed), self._said(rows).filter(keyed)
            new = np.stack([hash_keys(keys), *(hash_keys(said, salt) for salt in _SALTS)])
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
        for number, partition in enumerate(partitions):
            for found in self._of_suspects(number, partition, suspects):
                every = found if counts is None else pa.concat_tables([counts, found]).combine_chunks()
                counts = _reduced(every, last=last)
        assert counts is not None  # noqa: S101 - suspects come of these partitions
        return counts

    def _of_suspects(self, number: int, partition: PartitionFile, suspects: Hashes) -> Iterator[pa.Table]:
        found = self._keyed(partition)
        if found is None:
            return
        rows, keys = found
        which = flags(as_flags(keys.is_valid()) & np.isin(hash_keys(keys), suspects))
        rows, keys = rows.filter(which).combine_chunks(), keys.filter(which)
        if len(keys):
            places = integers(rows["row"].to_numpy().astype(np.int64) + (number << _ROW_BITS))
            columns = {_KEY: keys, _SAID: self._said(rows), _PLACE: places}
            columns[_DISPUTED] = flags(np.zeros(len(keys), np.bool_))
            yield pa.table(columns | {field: rows[field].combine_chunks() for field in self._fields})

    def _written(self, partition: PartitionFile, said: pa.Table) -> PartitionFile:
        """The partition, written anew if it has rows of these members."""
        found = self._keyed(partition)
        if found is None:
            return partition
        rows, keys = found
        at = pc.index_in(keys, value_set=said[_KEY].combine_chunks(), skip_nulls=True)
        which = as_flags(at.is_valid())
        if not which.any():
            return partition
        if self.feed.dimensions[self.name].unmatched.disagree == "reject":
            rows = self._rejected(rows, pa.array(which))
        else:
            for field in self._fields:
                column = pc.if_else(
                    pa.array(which), said[field].combine_chunks().take(at), rows[field].combine_chunks()
                )
                rows = rows.set_column(rows.schema.get_field_index(field), rows.schema.field(field), column)
        return rewritten(partition, rows, self.place)

    def _rejected(self, rows: pa.Table, which: pa.Array) -> pa.Table:
        noted, fields = rows.schema.metadata, self._fields
        shown = [pc.cast(rows[field].combine_chunks(), pa.string()) for field in fields]
        raw = pc.binary_join_element_wise(*shown, ", ", null_handling="replace", null_replacement="")
        said = {
            "cell": cells(letter_of(noted, fields[0], rows), rows["row"].combine_chunks()),
            "column": header_of(noted, fields, rows),
            "raw": raw if len(fields) > 1 else shown[0],
            "reason": REASON,
        }
        for name in NOTED:
            column = pc.if_else(which, said[name], rows[name].combine_chunks())
            rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), column)
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
