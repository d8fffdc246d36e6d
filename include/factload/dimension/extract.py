"""The dimension map: business key → surrogate key of one dimension, frozen at one snapshot in an Arrow file.

The dimension is streamed out of PostgreSQL by COPY into a spool file, and sorted by a hash of its keys, one range of
hashes at a time: what is held in memory is a range, however many members there are. A record batch of the file is
a range; their number is a power of two, so that the first bits of a hash say which batch to look in.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sqlalchemy import Column, ColumnElement, DateTime, Executable, Select, Text, cast, func, select, types
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement

from factload.dimension.arrival import Arrival, garbled
from factload.dimension.key_hash import hash_keys
from factload.dimension.lookup import ALWAYS, FOREVER, SALT, range_of
from factload.dimension.normalize import join_parts, normalize, shown_key
from factload.dimension.table import dimension_table
from factload.errors import RowsRefused
from factload.feed.dimensions import AsOf, Dimension
from factload.load import DimensionMap
from factload.postgres.copy import copy_text
from factload.postgres.errors import database_errors
from factload.postgres.locks import holders_named
from factload.postgres.types import column_type
from factload.sheet.dates import DAY_MICROS
from factload.staging.disk import disk_errors, make_private
from factload.staging.files import StagingFile
from factload.staging.store import Place
from factload.vectors import flags, integers

_NAMED_AT_MOST = 5
_CSV_BLOCK_BYTES = 1 << 20
RANGE_BYTES = 8 << 20  # of the spool file; a range takes about ten times that while it is sorted
_MAX_RANGES = 512  # files open at once


class CopyOut(Executable, ClauseElement):
    """``COPY (select) TO STDOUT``: SQLAlchemy Core has no construct for it."""

    inherit_cache = False

    def __init__(self, query: Select[Any]) -> None:
        self.query = query


@compiles(CopyOut)
def _copy_out(element: CopyOut, compiler: Any, **options: Any) -> str:
    return f"COPY ({compiler.process(element.query, **options)}) TO STDOUT (FORMAT csv)"


def extract_dimension_map(
    connection: Connection, name: str, dimension: Dimension, place: Place
) -> DimensionMap:
    """Stage business key → surrogate key of one dimension as an Arrow file in ``place``.

    Raises ``RowsRefused`` when two members have the same key once it is normalised (with ``as_of``: at the same
    time), naming such keys, and ``FeedError`` when the table or a column isn't there.
    """
    table = dimension_table(connection, name, dimension)
    surrogate = table.c[dimension.surrogate_key]
    keys = (_as_written(table.c[part]) for part in dimension.business_key)
    # Labelled by number: a column may be a key and the surrogate key at once.
    carried = surrogate if surrogate_type(surrogate.type) == pa.int64() else cast(surrogate, Text)
    columns = [*keys, carried]
    last = 0
    if dimension.as_of is not None:
        history = (table.c[dimension.as_of.valid_from], table.c[dimension.as_of.end])
        columns += [cast(cast(column, DateTime), Text) for column in history]
        last = _last(history[1], dimension.as_of)
    query = select(*(column.label(f"column_{number}") for number, column in enumerate(columns)))
    with _temporary_file(place) as spool:
        with database_errors(f"reading dimension {name}"), holders_named(connection):
            connection.execute(select(func.set_config("datestyle", "ISO, YMD", True)))
            _copy_to(connection, query, spool)
            arrival = Arrival(connection, query)
            connection.rollback()  # sorting and storing take their time, and the server ends who idles in a transaction
        return stage_members(
            spool, surrogate_type(surrogate.type), name, dimension, place, arrival, last=last
        )


def _last(end: Column[Any], as_of: AsOf) -> int:
    """For how many microseconds from ``end`` on a member is still valid: of an inclusive day all of it."""
    if not as_of.is_inclusive:
        return 0
    return DAY_MICROS if isinstance(end.type, types.Date) else 1


def _as_written(part: Column[Any]) -> ColumnElement[Any]:
    """A part of a key as a sheet writes it: a number without the zeros and the exponent that its column would add."""
    if column_type(part.type).family in ("numeric", "double"):
        return cast(func.trim_scale(cast(part, types.Numeric)), Text)
    return cast(part, Text)


def surrogate_type(column: types.TypeEngine[Any]) -> pa.DataType:
    """The Arrow type that carries a surrogate key: integers as they are, anything else (uuid, text) as text."""
    return pa.int64() if column_type(column).family == "integer" else pa.string()


def _copy_to(connection: Connection, query: Select[*tuple[Any, ...]], file: IO[bytes]) -> None:
    with closing(connection.connection.cursor()) as cursor:
        cursor.copy_expert(copy_text(CopyOut(query), connection), file)


def stage_members(
    spool: IO[bytes],
    surrogate: pa.DataType,
    name: str,
    dimension: Dimension,
    place: Place,
    arrival: Arrival | None = None,
    *,
    last: int = 0,
) -> DimensionMap:
    """The map of the members that ``spool`` holds as CSV: the parts of the key, the surrogate key, the interval.

    ``arrival``: what the server says of them. ``last``: for how many microseconds after its end an interval goes on.
    Raises ``TransientError`` when the members are others.
    """
    size = spool.seek(0, 2)
    if arrival is not None:
        with _garbled_where_unreadable(name):
            for batch in _batches(spool, surrogate, dimension) if size else ():
                arrival.add(batch.columns)
        arrival.require_whole(name)
    ranges = 1
    while ranges * RANGE_BYTES < size and ranges < _MAX_RANGES:
        ranges *= 2
    for salt in count():
        # Two different keys of the same hash, one chance in millions, are parted by another salt.
        with closing(_Sorting(map_schema(surrogate, dimension, salt), ranges, place)) as sorting:
            for members in _members(spool, surrogate, dimension, last) if size else ():
                sorting.add(members, salt)
            if (staged := sorting.commit(f"map_{name}_{{sha256}}.arrow", dimension)) is not None:
                return DimensionMap(name, *staged, sorting.rows)
    raise AssertionError("unreachable")


def map_schema(surrogate: pa.DataType, dimension: Dimension, salt: int) -> pa.Schema:
    """The columns of a map: ``key`` (joined), ``surrogate``, for a history ``start`` and ``end`` (microseconds since
    1970, the end not included), ``hash``. In the order of the hashes, then of the starts."""
    history = [("start", pa.int64()), ("end", pa.int64())] if dimension.as_of is not None else []
    fields = [("key", pa.string()), ("surrogate", surrogate), *history, ("hash", pa.int64())]
    return pa.schema(fields, metadata={SALT: str(salt)})


@contextmanager
def _temporary_file(place: Place) -> Iterator[IO[bytes]]:
    with disk_errors(place.folder):
        make_private(place.folder)
        with tempfile.TemporaryFile(dir=place.folder) as file:
            yield file


class _Sorting:
    """Members on their way into a map: parted by range into temporary files, then sorted range by range."""

    def __init__(self, schema: pa.Schema, ranges: int, place: Place) -> None:
        self.rows = 0
        self._schema, self._ranges, self._place = schema, ranges, place
        self._open = ExitStack()
        self._files = [self._open.enter_context(_temporary_file(place)) for _ in range(ranges)]
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


@contextmanager
def _garbled_where_unreadable(name: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowInvalid:
        raise garbled(name) from None


def _batches(spool: IO[bytes], surrogate: pa.DataType, dimension: Dimension) -> Iterator[pa.RecordBatch]:
    """The members as they came, piece by piece."""
    parts = len(dimension.business_key)
    history = 2 if dimension.as_of is not None else 0
    kinds = [pa.string()] * parts + [surrogate] + [pa.string()] * history
    columns = pa.schema([(str(number), kind) for number, kind in enumerate(kinds)])
    spool.seek(0)
    yield from csv.open_csv(
        spool,
        read_options=csv.ReadOptions(
            column_names=columns.names, block_size=_CSV_BLOCK_BYTES, use_threads=False
        ),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        # COPY writes NULL as nothing and the empty string as "".
        convert_options=csv.ConvertOptions(
            column_types=columns, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
    )


def _members(
    spool: IO[bytes], surrogate: pa.DataType, dimension: Dimension, last: int
) -> Iterator[list[pa.Array]]:
    """The members with a key, piece by piece, as the columns of a map but the hash."""
    parts = len(dimension.business_key)
    for batch in _batches(spool, surrogate, dimension):
        normalized = [
            normalize(column, dimension.normalize.of(name), kind)
            for name, column, kind in zip(
                dimension.business_key, batch.columns[:parts], dimension.types, strict=True
            )
        ]
        arrays = [join_parts(normalized), batch.column(parts)]
        keep = pc.is_valid(arrays[0])
        if dimension.as_of is not None:
            start, end = (
                _bound(dimension, *bound) for bound in zip(batch.columns[-2:], (ALWAYS, FOREVER), strict=True)
            )
            if last:
                end = pc.if_else(pc.equal(end, FOREVER), end, pc.add(end, last))
            arrays += [start, end]
            keep = pc.and_(keep, _lasting(dimension, start, end))
        yield [array.filter(keep) for array in arrays]


def _bound(dimension: Dimension, moments: pa.Array, open_: int) -> pa.Array:
    """Texts of moments as microseconds since 1970; null and infinity, which only that end can have, as ``open_``."""
    without = "-infinity" if open_ == ALWAYS else "infinity"
    finite = pc.if_else(pc.equal(moments, without), None, moments)
    try:
        micros = finite.cast(pa.timestamp("us")).cast(pa.int64())
    except pa.ArrowInvalid:
        raise RowsRefused(
            "dimension_interval",
            f"a member of {dimension.table} has a validity date outside of the years 1 to 9999",
            expected="years 1 to 9999, null, -infinity as a start or infinity as an end",
            remedy="Correct the dimension",
        ) from None
    return pc.fill_null(micros, open_)


def _lasting(dimension: Dimension, start: pa.Array, end: pa.Array) -> pa.Array:
    """The intervals that are not empty: one that ends where it begins was never valid."""
    if backwards := pc.sum(pc.greater(start, end)).as_py():
        raise RowsRefused(
            "dimension_interval",
            f"{backwards} members of {dimension.table} are valid to a moment before they are valid from",
            expected="valid_from <= valid_to",
            remedy="Correct the dimension, or `as_of` in the feed",
        )
    return pc.less(start, end)


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
