"""One partition's rows, told apart: those that become fact rows, and those that are rejected, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table, types

from factload.dimension.lookup import AsOfMicros, LookupResult, Members, look_up
from factload.dimension.normalize import join_parts, normalize
from factload.errors import RowsRefused
from factload.fact.exact import rounded, rounds
from factload.fact.rejected import rejected
from factload.fact.row_numbers import numbers_of
from factload.feed.dimensions import Dimension
from factload.feed.model import Feed
from factload.sheet.reject import noted_rejects
from factload.split.fields import attribute_field, date_field, key_fields, value_field
from factload.sql_types import MAX_PRECISION
from factload.vectors import Flags, as_flags, flags, integers

ROW = "factload_row"
_NAMED_AT_MOST = 5
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)

# Makes members for keys that have none: the dimension's name, the parts of the keys (normalised, each key once, in
# order), their attributes by column → their surrogate keys, null for a key that the dimension can't store.
MemberMaker = Callable[[str, pa.RecordBatch, Mapping[str, pa.Array]], pa.Array]


@dataclass(frozen=True, slots=True)
class Resolved:
    """``rows``: ``ROW`` (Excel's row number, or the cell's where columns become rows), and those columns of the fact
    table that differ from row to row.

    ``rejects``: ``sheet.reject.REJECT_SCHEMA``. ``unknown``: dimension → rows that got its member for the unknown.
    ``said``: dimension → its members that rows have, each once, with what they say of them, where members are updated.
    """

    rows: pa.Table
    rejects: pa.Table
    unknown: dict[str, int]
    said: Mapping[str, pa.Table] = field(default_factory=dict)


def resolve(  # noqa: C901 - the two loops share which rows are still alive
    partition: pa.Table,
    feed: Feed,
    members: Mapping[str, Members],
    period: date,
    make: MemberMaker,
    table: Table | None,
) -> Resolved:
    """Look every business key of a partition file up, and part its rows.

    ``partition``: a partition file. ``members``: dimension → the opened map it uses. ``table``: with the
    fact table's types, where these are known. A row has one reject: what the
    reader found, else the first key, in the order of the fact's columns, that is blank or matches no member.
    Raises ``RowsRefused`` where a dimension's ``unmatched`` is ``fail``.
    """
    readable = pc.is_null(partition["reason"])
    rejects = [noted_rejects(partition)]
    rows = partition.filter(readable).combine_chunks()
    alive = np.ones(rows.num_rows, np.bool_)
    for column, kind in _rounding(feed, table).items():
        values = rows[value_field(column)].combine_chunks()
        lost = alive & rounded(values, kind)
        if lost.any():
            rejects.append(rejected(rows.filter(flags(lost)), [value_field(column)], "not_exact"))
            alive &= ~lost
    surrogates: dict[str, pa.Array] = {}
    unknown: dict[str, int] = {}
    for source in feed.fact.columns.values():
        name = source.dimension
        if name is None or name in surrogates:
            continue
        keys = _Keys(rows, feed, name, period)
        found = keys.look_up(members[name])
        surrogate, reason = keys.settle(found, alive, make)
        surrogates[name] = surrogate
        if feed.dimensions[name].unmatched.action == "unknown":
            unknown[name] = int((alive & ~as_flags(pc.is_valid(found.surrogate))).sum())
        lost = alive & ~as_flags(pc.is_valid(surrogate))
        if lost.any():
            which = flags(lost)
            rejects.append(rejected(rows.filter(which), key_fields(feed, name), reason.filter(which)))
            alive &= ~lost
    columns = {ROW: numbers_of(rows)}
    for name, source in feed.fact.columns.items():
        if source.dimension is not None:
            columns[name] = surrogates[source.dimension]
        elif source.column is not None:
            columns[name] = rows[value_field(name)]
        elif source.provenance == "row":
            columns[name] = rows["row"]
    good = pa.table(columns)
    return Resolved(
        good if alive.all() else good.filter(flags(alive)),
        pa.concat_tables(rejects).sort_by("row"),
        unknown,
        _said(rows, feed, surrogates, alive),
    )


def _said(
    rows: pa.Table, feed: Feed, surrogates: Mapping[str, pa.Array], alive: Flags
) -> dict[str, pa.Table]:
    said, kept = {}, flags(alive)
    for name in filter(surrogates.__contains__, feed.told_dimensions):
        attributes = {
            column: rows[attribute_field(name, column)].filter(kept)
            for column in feed.dimensions[name].unmatched.attributes
        }
        members = surrogates[name].filter(kept)
        # Rows of a load agree about a member: the first will do.
        _, first = np.unique(members.dictionary_encode().indices.to_numpy(), return_index=True)
        said[name] = pa.table({"": members, **attributes}).take(integers(first))
    return said


def _rounding(feed: Feed, table: Table | None) -> dict[str, types.TypeEngine[Any]]:
    """The columns whose values the fact table may round, and their types."""
    if table is None:
        return {}
    kinds = {n: table.c[n].type for n, c in feed.fact.columns.items() if c.type is not None}
    return {name: kind for name, kind in kinds.items() if rounds(kind)}


def key_parts(rows: pa.Table, feed: Feed, name: str) -> list[pa.Array]:
    """The parts of a dimension's key in the rows of a partition file, normalised; null where they are blank."""
    dimension = feed.dimensions[name]
    return [
        normalize(pc.cast(rows[field].combine_chunks(), pa.string()), dimension.normalize.of(column), kind)
        for field, column, kind in zip(
            key_fields(feed, name), dimension.business_key, dimension.types, strict=True
        )
    ]


class _Keys:
    """The business keys of one dimension in the rows of a partition."""

    def __init__(self, rows: pa.Table, feed: Feed, name: str, period: date) -> None:
        self._name, self._dimension = name, feed.dimensions[name]
        self._row = rows["row"]
        self._parts = key_parts(rows, feed, name)
        self._keys = join_parts(self._parts)
        self._attributes = {
            column: rows[attribute_field(name, column)].combine_chunks()
            for column in self._dimension.unmatched.attributes
        }
        self._moments, self._dated = _moments(rows, name, self._dimension, period)

    def look_up(self, members: Members) -> LookupResult:
        found = look_up(self._keys, members, self._moments)
        if self._dated is None:
            return found
        return LookupResult(pc.if_else(flags(self._dated), found.surrogate, None), found.key_known)

    def settle(self, found: LookupResult, alive: Flags, make: MemberMaker) -> tuple[pa.Array, pa.Array]:
        """The surrogate keys after what the feed says of unmatched ones, and the reason for each that is null."""
        unmatched = self._dimension.unmatched
        keyed = as_flags(pc.is_valid(self._keys))
        missing = alive & ~as_flags(pc.is_valid(found.surrogate))
        reason = pc.if_else(
            flags(keyed),
            pc.if_else(flags(found.key_known), self._without_surrogate, "unmatched_key"),
            "blank_key",
        )
        if not missing.any():
            return found.surrogate, reason
        if unmatched.action == "fail":
            raise _no_member(self._name, self._row.filter(flags(missing)))
        if unmatched.action == "unknown":
            member = pa.scalar(unmatched.member, found.surrogate.type)
            return pc.fill_null(found.surrogate, member), reason
        # A member that is there isn't made once more, though it has no surrogate key, or isn't valid on the date.
        if unmatched.action == "create" and (missing := missing & keyed & ~found.key_known).any():
            made = pc.if_else(flags(missing), "key_does_not_fit", reason)
            surrogates = self._made(missing, make).cast(found.surrogate.type)
            return pc.replace_with_mask(found.surrogate, flags(missing), surrogates), made
        return found.surrogate, reason

    @property
    def _without_surrogate(self) -> str:
        """Why a key that members have got no surrogate key."""
        return "no_surrogate_key" if self._dimension.as_of is None else "no_member_on_date"

    def _made(self, missing: Flags, make: MemberMaker) -> pa.Array:
        """The surrogate keys of members made for the keys of the rows ``missing``, in the order of these rows."""
        encoded = self._keys.filter(flags(missing)).dictionary_encode()
        index = encoded.indices.to_numpy()
        _, first = np.unique(index, return_index=True)
        # Every process asks in the same order, so that none waits for another in a circle.
        order = pc.sort_indices(encoded.dictionary).to_numpy()
        at = integers(np.flatnonzero(missing)[first[order]])
        parts = [part.take(at) for part in self._parts]
        keys = pa.RecordBatch.from_arrays(parts, names=list(self._dimension.business_key))
        made = make(self._name, keys, {name: values.take(at) for name, values in self._attributes.items()})
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return made.take(integers(place[index]))


def _moments(
    rows: pa.Table, name: str, dimension: Dimension, period: date
) -> tuple[AsOfMicros | None, Flags | None]:
    """As of when each row's member is looked for, in microseconds since 1970, and where the row says when."""
    if dimension.as_of is None:
        return None, None
    if dimension.as_of.header is None:
        midnight = datetime.combine(period, time(), UTC)
        return np.full(rows.num_rows, (midnight - _UNIX) // timedelta(microseconds=1), np.int64), None
    moments = rows[date_field(name)].combine_chunks()
    dated = as_flags(pc.is_valid(moments))
    return pc.fill_null(moments.cast(pa.int64()), 0).to_numpy(), dated


def _no_member(dimension: str, rows: pa.ChunkedArray) -> RowsRefused:
    named = ", ".join(map(str, rows[:_NAMED_AT_MOST].to_pylist()))
    more = len(rows) - _NAMED_AT_MOST
    which = f"row {named}" if len(rows) == 1 else f"rows {named}" + (f" and {more} more" if more > 0 else "")
    return RowsRefused(
        "unmatched_key",
        f"{which} of one partition {'has' if len(rows) == 1 else 'have'} a business key without a member in "
        f"dimension {dimension}",
        expected="a member for every key, since `unmatched` is `fail`",
        remedy="`factload check` lists every such row of the load, with its key. Add the members, or let the feed say "
        "`unmatched: reject`",
    )


def control_totals(rows: pa.Table, names: list[str]) -> dict[str, str]:
    """The exact sum of each of the columns ``names``, as decimal text."""
    return {name: f"{Decimal(_sum(rows[name])):f}" for name in names}


def delivered_totals(rows: pa.Table, feed: Feed) -> dict[str, str]:
    """The exact sum of each column that a witness speaks of, over all rows of a partition file that hold it."""
    asked = {one.measure(feed.fact) for one in feed.witness if one.rows == "delivered"}
    return {
        name: f"{Decimal(_sum(rows[value_field(name)])):f}" for name in feed.fact.measures if name in asked
    }


def _sum(values: pa.ChunkedArray) -> Decimal | int:
    total: Decimal | int | None = pc.sum(_with_room(values)).as_py()
    return total if total is not None else 0


def _with_room(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same numbers, of a type that holds their sum: where one has no room, Arrow goes on from its lowest number."""
    if pa.types.is_decimal(values.type):
        digits = values.type.precision + len(str(len(values)))
        wide = pa.decimal256(2 * MAX_PRECISION, values.type.scale)
        return values if digits <= MAX_PRECISION else pc.cast(values, wide)
    least, most = pc.min_max(values).as_py().values()
    fits = most is None or max(most, -least) * len(values) < 1 << 63
    return values if fits else pc.cast(values, pa.decimal128(MAX_PRECISION))
