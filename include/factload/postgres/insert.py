"""Chunked inserts: how many rows get into a table by one statement.

``core``: one Core ``INSERT … SELECT FROM unnest(…)`` a chunk, each column bound as the text of one PostgreSQL
array. Ten times a Core insert of dicts on the same driver, and it runs wherever an INSERT does (``docs/adr``).
``copy``: the same rows by COPY, twice as fast again, where the connection may use it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa
from pyarrow import csv
from sqlalchemy import (
    Insert,
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

from factload.postgres.arrays import array_text
from factload.postgres.binary_copy import HEADER, TRAILER, binary_rows, has_binary_form
from factload.postgres.copy import CopyIn, copy_text

_AT_ONCE = 1 << 16  # bytes that the driver takes at a time


def chunks(rows: pa.Table, size: int) -> Iterator[pa.Table]:
    """``rows`` by at most ``size`` at a time; nothing of an empty table."""
    return (rows.slice(start, size) for start in range(0, rows.num_rows, size))


def unnest_insert(table: Table, constants: Sequence[str], columns: Sequence[str]) -> Insert:
    """The INSERT of one chunk: a parameter for each of ``constants``, and for each of ``columns`` one that holds
    the text of a PostgreSQL array."""
    arrays = [cast(bindparam(f"array_{name}", type_=String), ARRAY(table.c[name].type)) for name in columns]
    rows = func.unnest(*arrays).table_valued(*columns).render_derived()
    same = [bindparam(f"same_{name}", type_=table.c[name].type) for name in constants]
    return insert(table).from_select([*constants, *columns], select(*same, *rows.c))


def insert_core(connection: Connection, table: Table, constants: Mapping[str, Any], chunk: pa.Table) -> None:
    """Insert one chunk of rows; ``constants`` are the columns that are the same in every row."""
    connection.execute(
        unnest_insert(table, list(constants), chunk.column_names),
        {f"same_{name}": value for name, value in constants.items()}
        | {f"array_{name}": array_text(chunk[name]) for name in chunk.column_names},
    )


def insert_copy(connection: Connection, table: Table, constants: Mapping[str, Any], chunk: pa.Table) -> None:
    """The same by COPY: in its binary format where that has a form for every column, else as CSV."""
    repeated = [pa.repeat(value, chunk.num_rows) for value in constants.values()]
    names = [*constants, *chunk.column_names]
    kinds = [table.c[name].type for name in names]
    columns = [*repeated, *(column.combine_chunks() for column in chunk.columns)]
    binary = all(map(has_binary_form, kinds, columns))
    rows = io.BytesIO()
    if binary:
        rows.writelines((HEADER, binary_rows(kinds, columns), TRAILER))
    else:
        csv.write_csv(pa.table(columns, names=names), rows, csv.WriteOptions(include_header=False))
    rows.seek(0)
    with closing(connection.connection.cursor()) as cursor:
        statement = copy_text(CopyIn(table, names, "binary" if binary else "csv"), connection)
        cursor.copy_expert(statement, rows, _AT_ONCE)


_Insert = Callable[[Connection, Table, Mapping[str, Any], pa.Table], None]
INSERTS: Mapping[str, _Insert] = {
    "core": insert_core,
    "copy": insert_copy,
}
