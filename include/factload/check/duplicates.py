"""Rows that a load would reject since an earlier row has the same values: told apart as the staging table does it, by
a hash of the values of every row so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table, types
from sqlalchemy.dialects.postgresql import CITEXT

from factload.dimension.key_hash import Hashes, hash_keys
from factload.fact.duplicate_cells import headers_of
from factload.fact.once_only import OnceOnly
from factload.fact.resolve import ROW
from factload.fact.row_numbers import sheet_rows
from factload.feed.model import Feed
from factload.sheet.reject import REJECT_SCHEMA, reject_table
from factload.vectors import Flags, as_flags, flags

_MIX = np.uint64(0x9E3779B97F4A7C15)  # any odd number


@dataclass(slots=True)
class EarlierRows:
    """The values that the rows so far have, for each set of columns that may stand in a load once."""

    feed: Feed
    fact: Table
    once: Sequence[OnceOnly]
    _seen: dict[tuple[str, ...], Hashes] = field(default_factory=dict)

    def part(self, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        """The rows that stay, and those that would be rejected (``REJECT_SCHEMA``). ``rows``: the next ones in the
        load's order, with all columns. Columns that can't be read tell nothing."""
        rejects = []
        for once in self.once:
            if not set(once.columns) <= set(rows.column_names):
                continue
            later = self._later(rows, once)
            if later.any():
                rejects.append(_rejects(self.feed, rows.filter(flags(later)), once))
                rows = rows.filter(flags(~later)).combine_chunks()
        return rows, pa.concat_tables([REJECT_SCHEMA.empty_table(), *rejects])

    def _later(self, rows: pa.Table, once: OnceOnly) -> Flags:
        hashes = np.zeros(rows.num_rows, np.uint64)
        counts = np.ones(rows.num_rows, np.bool_)
        for name in once.columns:
            values = rows[name].combine_chunks()
            valid = as_flags(pc.is_valid(values))
            text = pc.fill_null(_as_it_is_compared(values, self.fact.c[name].type), "")
            hashes = hashes * _MIX + hash_keys(text) + valid.astype(np.uint64)
            if not once.nulls_are_equal:
                counts &= valid
        seen = self._seen.get(once.columns, np.empty(0, np.uint64))
        at = np.flatnonzero(counts)
        _, first = np.unique(hashes[at], return_index=True)
        new = np.zeros(len(at), np.bool_)
        new[first] = True
        new &= ~np.isin(hashes[at], seen)
        self._seen[once.columns] = np.union1d(seen, hashes[at])
        later: npt.NDArray[np.bool_] = np.zeros(rows.num_rows, np.bool_)
        later[at[~new]] = True
        return later


def _as_it_is_compared(values: pa.Array, kind: types.TypeEngine[object]) -> pa.Array:
    """Values as texts that are equal where the database holds the values for equal."""
    if pa.types.is_floating(values.type):
        values = pc.add(values, 0.0)  # no -0
    text = pc.cast(values, pa.string())
    if isinstance(kind, CITEXT):
        return pc.utf8_lower(text)
    return pc.utf8_rtrim(text, " ") if isinstance(kind, types.CHAR) else text


def _rejects(feed: Feed, rows: pa.Table, once: OnceOnly) -> pa.Table:
    headers = ", ".join(headers_of(feed, once.columns))
    return reject_table(sheet_rows(feed, rows[ROW].combine_chunks()), column=headers, reason=once.reason)
