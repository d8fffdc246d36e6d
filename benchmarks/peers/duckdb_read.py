"""DuckDB, the reader alone: read_xlsx into a table of its own."""

from __future__ import annotations

import json
import sys
import time
from importlib.resources import files

import duckdb


def load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    """`INSTALL` and `LOAD`, with the extension's file out of a wheel instead of the net."""
    folder = files(f"duckdb_extension_{extension}") / "extensions" / f"v{duckdb.__version__}"
    connection.load_extension(str(folder / f"{extension}.duckdb_extension"))


def main(workbook: str) -> None:
    """Read it, and print what came."""
    connection = duckdb.connect()
    load(connection, "excel")
    started = time.perf_counter()
    # A column whose first cell is blank would be one of numbers, and the first text in it an error.
    options = "sheet = 'Facts', header = true, empty_as_varchar = true"
    connection.execute(f"CREATE TABLE sheet AS FROM read_xlsx(?, {options})", [workbook])
    seconds = time.perf_counter() - started
    found = connection.execute("SELECT count(*), sum(metric) FROM sheet").fetchone()
    assert found is not None  # noqa: S101
    print(json.dumps({"rows": found[0], "total": found[1], "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
