"""Business keys to surrogate keys: the dimension as an Arrow file, and the lookup against it.

The dimension is read as two plain columns, streamed out of PostgreSQL by COPY, in one snapshot. Load tasks map
the file into memory and never copy it. A NULL or blank key matches nothing, on either side.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sqlalchemy import Executable, Select, Table, Text, cast, select, types
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement

from factload.database import copy_text, database_errors, reflect
from factload.errors import RowsRefused
from factload.feed import Dimension, NormalizeStep
from factload.key_hash import hash_keys
from factload.load import DimensionMap
from factload.staging import StagingFile
from factload.vectors import integers

_NAMED_AT_MOST = 5
_CSV_BLOCK_BYTES = 1 << 20
_SALT = b"salt"

_STEPS: dict[NormalizeStep, Any] = {
    "trim": pc.utf8_trim_whitespace,
    "collapse_spaces": lambda keys: pc.replace_substring_regex(keys, r"\s+", " "),
    "upper": pc.utf8_upper,
    "lower": pc.utf8_lower,
    "nfc": lambda keys: pc.utf8_normalize(keys, form="NFC"),
}


def normalize(keys: pa.Array, steps: Sequence[NormalizeStep]) -> pa.Array:
    """Business keys (strings) as both sides of the lookup spell them; blank ones become null."""
    for step in steps:
        keys = _STEPS[step](keys)
    blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(keys)), 0)
    return pc.if_else(blank, None, keys)


class CopyOut(Executable, ClauseElement):
    """``COPY (select) TO STDOUT``: the one statement here that Core has no word for."""

    inherit_cache = False

    def __init__(self, query: Select[Any]) -> None:
        self.query = query


@compiles(CopyOut)
def _copy_out(element: CopyOut, compiler: Any, **options: Any) -> str:
    return f"COPY ({compiler.process(element.query, **options)}) TO STDOUT (FORMAT csv)"


def dimension_table(connection: Connection, name: str, dimension: Dimension) -> Table:
    """The dimension's table, with both its key columns; raises ``FeedError`` for what isn't there."""
    field = f"dimensions.{name}"
    return reflect(
        connection,
        dimension.table,
        {
            dimension.business_key: f"{field}.business_key",
            dimension.surrogate_key: f"{field}.surrogate_key",
        },
    )


def extract_dimension_map(
    connection: Connection, name: str, dimension: Dimension, folder: Path
) -> DimensionMap:
    """Stage business key → surrogate key of one dimension as an Arrow file in ``folder``.

    Raises ``RowsRefused`` when two members have the same key once it is normalised, naming such keys, and
    ``FeedError`` when the table or a column isn't there.
    """
    table = dimension_table(connection, name, dimension)
    surrogate = table.c[dimension.surrogate_key]
    query = select(cast(table.c[dimension.business_key], Text), surrogate)
    schema = pa.schema([("key", pa.string()), ("surrogate", surrogate_type(surrogate.type))])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as spool:
        with database_errors(f"reading dimension {name}"):
            _copy_to(connection, query, spool)
        members = pa.Table.from_batches(_members(spool, schema, dimension.normalize), schema=schema)
    path, sha256 = _stage(_ordered(dimension, members), folder, f"map_{name}.arrow")
    return DimensionMap(dimension=name, path=str(path), sha256=sha256, rows=members.num_rows)


def _ordered(dimension: Dimension, members: pa.Table) -> pa.Table:
    """``members`` in the order of their keys' hashes, with the hashes; each hash once.

    Two different keys of the same hash, one chance in millions, are parted by another salt, which the file's
    metadata keeps. Two equal keys are refused.
    """
    keys = members["key"].combine_chunks()
    for salt in count():
        hashes = hash_keys(keys, salt)
        order = np.argsort(hashes)
        hashes = hashes[order]
        twins = np.flatnonzero(hashes[1:] == hashes[:-1])
        if not len(twins):
            ordered = members.take(integers(order)).combine_chunks()
            return ordered.append_column("hash", integers(hashes.view(np.int64))).replace_schema_metadata(
                {_SALT: str(salt)}
            )
        first, second = (keys.take(integers(order[at])) for at in (twins, twins + 1))
        doubled = first.filter(pc.equal(first, second)).unique()
        if len(doubled):
            raise _duplicates(dimension, doubled)
    raise AssertionError("unreachable")


def _stage(members: pa.Table, folder: Path, name: str) -> tuple[Path, str]:
    file = StagingFile(folder, members.schema)
    try:
        for batch in members.to_batches():
            file.write(batch)
        return file.commit(name)
    finally:
        file.discard()


def surrogate_type(column: types.TypeEngine[Any]) -> pa.DataType:
    """The Arrow type that carries a surrogate key: integers as they are, anything else (uuid, text) as text."""
    return pa.int64() if isinstance(column, types.Integer) else pa.string()


def _copy_to(connection: Connection, query: Select[Any], file: IO[bytes]) -> None:
    with closing(connection.connection.cursor()) as cursor:
        cursor.copy_expert(copy_text(CopyOut(query), connection), file)


def _members(spool: IO[bytes], schema: pa.Schema, steps: Sequence[NormalizeStep]) -> list[pa.RecordBatch]:
    if spool.seek(0, 2) == 0:
        return []
    spool.seek(0)
    reader = csv.open_csv(
        spool,
        read_options=csv.ReadOptions(
            column_names=schema.names, block_size=_CSV_BLOCK_BYTES, use_threads=False
        ),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        # COPY writes NULL as nothing and the empty string as "".
        convert_options=csv.ConvertOptions(
            column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
    )
    batches = []
    for batch in reader:
        keys = normalize(batch.column(0), steps)
        known = pc.is_valid(keys)
        batches.append(pa.record_batch([keys.filter(known), batch.column(1).filter(known)], schema=schema))
    return batches


def _duplicates(dimension: Dimension, doubled: pa.Array) -> RowsRefused:
    shown = ", ".join(sorted(repr(key.as_py()) for key in doubled[:_NAMED_AT_MOST]))
    more = len(doubled) - _NAMED_AT_MOST
    return RowsRefused(
        "dimension_duplicate_keys",
        f"{len(doubled)} business keys of {dimension.table} belong to more than one member: {shown}"
        + (f" and {more} more" if more > 0 else ""),
        expected=f"each {dimension.business_key} once"
        + (f", after {', '.join(dimension.normalize)}" if dimension.normalize else ""),
        remedy="Correct the dimension, or its `normalize` steps in the feed",
    )


def look_up(keys: pa.Array, members: pa.Table) -> pa.Array:
    """The surrogate key of each (normalised) business key, null where there is no such member.

    ``keys``: strings, one a row. ``members``: a staged map. The result has the length of ``keys``. A binary
    search by hash finds the one member that can match; the keys themselves decide whether it does.
    """
    known, surrogates, ordered = (members[n].combine_chunks() for n in ("key", "surrogate", "hash"))
    if not len(known):
        return pa.nulls(len(keys), surrogates.type)
    hashes = hash_keys(keys, int(members.schema.metadata[_SALT]))
    place = np.searchsorted(ordered.to_numpy().view(np.uint64), hashes)
    nearest = integers(np.minimum(place, len(known) - 1))
    found = pc.equal(known.take(nearest), keys)  # null for a null key
    return pc.if_else(found, surrogates.take(nearest), pa.nulls(len(keys), surrogates.type))
