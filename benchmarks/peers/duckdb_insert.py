"""DuckDB: read_xlsx joined with the dimension, inserted into the attached database by its binary COPY."""

from __future__ import annotations

import sys
from importlib.resources import files

import duckdb


def load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    """`INSTALL` and `LOAD`, with the extension's file out of a wheel instead of the net."""
    folder = files(f"duckdb_extension_{extension}") / "extensions" / f"v{duckdb.__version__}"
    connection.load_extension(str(folder / f"{extension}.duckdb_extension"))


def main(*workbooks: str, url: str) -> None:
    """Load them."""
    connection = duckdb.connect()
    load(connection, "excel")
    load(connection, "postgres_scanner")
    connection.execute(f"ATTACH '{url}' AS warehouse (TYPE postgres)")
    # Many workbooks need the dimension many times: a copy keeps it from being read from PostgreSQL each time.
    connection.execute(
        "CREATE TABLE dim_product AS "
        "SELECT business_key, primary_synthetic_key FROM warehouse.public.dim_product"
    )
    for workbook in workbooks:
        connection.execute(
            """
            INSERT INTO warehouse.public.fact_sales (dimension_id, metric, load_id)
            SELECT primary_synthetic_key, CAST(metric AS DECIMAL(18, 4)), 'sales@2026-11-05'
            FROM read_xlsx(?, sheet = 'Facts', header = true)
            JOIN dim_product USING (business_key)
            """,
            [workbook],
        )


if __name__ == "__main__":
    main(*sys.argv[1:-1], url=sys.argv[-1])
