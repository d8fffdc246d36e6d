"""Rows a second of two Core inserts into one unlogged staging table, on one connection.

    python -m benchmarks.insert_rows ROWS DATABASE_URL

`arrays` is the engine's insert, a parameter a column; `dicts` is SQLAlchemy's documented bulk insert. Both begin
with what their caller has, Arrow columns or a list of dicts, and both send 20,000 rows a statement.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from statistics import median

import pyarrow as pa
from sqlalchemy import BigInteger, Column, MetaData, Numeric, Table, create_engine, insert
from sqlalchemy.engine import Connection

from factload.postgres.insert import insert_core

_CHUNK = 20_000
_REPEATS = 3
_staging = Table(
    "staging_rows",
    MetaData(),
    Column("dimension_id", BigInteger),
    Column("metric", Numeric(18, 4)),
    prefixes=["UNLOGGED"],
)


def measure(rows: int, url: str) -> dict[str, float]:
    """Rows a second by the name of the insert; medians, taken in turns."""
    ids = list(range(rows))
    metrics = [Decimal(number * 37 % 5_000_000).scaleb(-2) for number in ids]
    columns = pa.table({"dimension_id": ids, "metric": pa.array(metrics, pa.decimal128(18, 4))})
    dicts = [{"dimension_id": i, "metric": m} for i, m in zip(ids, metrics, strict=True)]

    def arrays_insert(connection: Connection) -> None:
        for start in range(0, rows, _CHUNK):
            insert_core(connection, _staging, {}, columns.slice(start, _CHUNK))

    def dicts_insert(connection: Connection) -> None:
        for start in range(0, rows, _CHUNK):
            connection.execute(insert(_staging), dicts[start : start + _CHUNK])

    ways: dict[str, Callable[[Connection], None]] = {"arrays": arrays_insert, "dicts": dicts_insert}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with create_engine(url).connect() as connection:
        for _ in range(_REPEATS):
            for name, way in ways.items():
                with connection.begin():
                    _staging.drop(connection, checkfirst=True)
                    _staging.create(connection)
                with connection.begin():
                    started = time.perf_counter()
                    way(connection)
                    seconds[name].append(time.perf_counter() - started)
        with connection.begin():
            _staging.drop(connection)
    return {name: rows / median(taken) for name, taken in seconds.items()}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2])))
