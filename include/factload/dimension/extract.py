"""The members of one dimension, frozen at one snapshot: business key → surrogate key, on their way into a map.

They are streamed out of PostgreSQL by COPY into a spool file, and read from there piece by piece. ``map_file`` sorts
them into the map.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sqlalchemy import Column, ColumnElement, DateTime, Executable, Select, Text, cast, func, select, types
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement

from factload.dimension.arrival import Arrival, garbled
from factload.dimension.lookup import ALWAYS, FOREVER
from factload.dimension.map_file import Sorting, map_schema, ranges_for, temporary_file
from factload.dimension.normalize import join_parts, normalize
from factload.dimension.table import dimension_table
from factload.errors import RowsRefused
from factload.feed.dimensions import AsOf, Dimension
from factload.load import DimensionMap
from factload.postgres.copy import copy_text
from factload.postgres.errors import database_errors
from factload.postgres.locks import holders_named
from factload.postgres.types import column_type
from factload.sheet.dates import DAY_MICROS
from factload.staging.store import Place

_CSV_BLOCK_BYTES = 1 << 20


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
    with temporary_file(place) as spool:
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
    ranges = ranges_for(size)
    for salt in count():
        # Two different keys of the same hash, one chance in millions, are parted by another salt.
        with closing(Sorting(map_schema(surrogate, dimension, salt), ranges, place)) as sorting:
            for members in _members(spool, surrogate, dimension, last) if size else ():
                sorting.add(members, salt)
            if (staged := sorting.commit(f"map_{name}_{{sha256}}.arrow", dimension)) is not None:
                return DimensionMap(name, *staged, sorting.rows)
    raise AssertionError("unreachable")


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
