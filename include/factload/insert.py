"""Chunked inserts into the staging table of one load.

``core``: one Core ``INSERT … SELECT FROM unnest(…)`` a chunk, each column bound as the text of one PostgreSQL
array. Ten times a Core insert of dicts on the same driver, and it runs wherever an INSERT does (``docs/adr``).
``copy``: the same rows by COPY, twice as fast again, where the connection may use it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sqlalchemy import (
    BigInteger,
    Column,
    Insert,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    cast,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement

from factload.ledger_tables import STAGING_SCHEMA
from factload.load import Load

SLICE, ROW = "factload_slice", "factload_row"


def staging_table(load: Load, fact: Table, columns: list[str]) -> Table:
    """This load's staging table: the fact table's columns, and which partition and row each row came from."""
    return Table(
        load.staging_table,
        MetaData(schema=STAGING_SCHEMA),
        Column(SLICE, BigInteger, nullable=False),
        Column(ROW, Integer, nullable=False),
        *(Column(name, fact.c[name].type) for name in columns),
    )


def slice_key(partition_id: str) -> int:
    """A partition's identity as a signed 64-bit integer, for the staging table's rows."""
    return int.from_bytes(bytes.fromhex(partition_id[:16]), "big", signed=True)


def unnest_insert(staging: Table) -> Insert:
    """The INSERT of one chunk: a parameter a column, each holding the text of a PostgreSQL array."""
    columns = list(staging.columns)
    arrays = [cast(bindparam(f"array_{i}", type_=String), ARRAY(c.type)) for i, c in enumerate(columns)]
    rows = func.unnest(*arrays).table_valued(*(f"c{i}" for i in range(len(columns))))
    return insert(staging).from_select(columns, select(*rows.c))


def array_text(values: pa.Array) -> str:
    """The text of a PostgreSQL array of ``values``: ``{1,NULL,"a \\"b\\""}``.

    https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO: text elements are quoted, quotes and
    backslashes in them escaped, so that no value can be taken for NULL or for a delimiter.
    """
    if pa.types.is_string(values.type):
        escaped = pc.replace_substring_regex(values, r'(["\\])', r"\\\1")
        texts = pc.binary_join_element_wise('"', escaped, '"', "")
    else:
        texts = pc.cast(values, pa.string())
    joined = pc.binary_join(_one_list(pc.fill_null(texts, "NULL")), ",")
    return "{" + (joined[0].as_py() or "") + "}"


def _one_list(texts: pa.Array) -> pa.Array:
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    return pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)


def insert_core(connection: Connection, staging: Table, chunk: pa.Table) -> None:
    """Insert one chunk; ``chunk`` has the staging table's columns, in order."""
    arrays = {f"array_{i}": array_text(column) for i, column in enumerate(chunk.columns)}
    connection.execute(unnest_insert(staging), arrays)


class CopyIn(ClauseElement):
    """``COPY table (columns) FROM STDIN``."""

    inherit_cache = False

    def __init__(self, table: Table) -> None:
        self.table = table


@compiles(CopyIn)
def _copy_in(element: CopyIn, compiler: Any, **_: Any) -> str:
    columns = ", ".join(compiler.preparer.format_column(c) for c in element.table.columns)
    return f"COPY {compiler.preparer.format_table(element.table)} ({columns}) FROM STDIN (FORMAT csv)"


def insert_copy(connection: Connection, staging: Table, chunk: pa.Table) -> None:
    """The same by COPY."""
    lines = io.BytesIO()
    csv.write_csv(chunk, lines, csv.WriteOptions(include_header=False))
    lines.seek(0)
    with connection.connection.cursor() as cursor:
        cursor.copy_expert(str(CopyIn(staging).compile(connection)), lines)  # type: ignore[attr-defined]


INSERTS: dict[str, Callable[[Connection, Table, pa.Table], None]] = {"core": insert_core, "copy": insert_copy}
