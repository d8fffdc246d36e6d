"""petl: fromxlsx, a hash join with the dimension, appenddb. It streams, and its insert is `executemany`."""

from __future__ import annotations

import sys

import petl
import psycopg


def main(workbook: str, url: str) -> None:
    """Load it."""
    with psycopg.connect(url) as connection:
        products = petl.fromdb(connection, "SELECT business_key, primary_synthetic_key FROM dim_product")
        facts = (
            petl.fromxlsx(workbook, sheet="Facts", read_only=True)
            .hashjoin(products, key="business_key")
            .rename("primary_synthetic_key", "dimension_id")
            .addfield("load_id", "petl")
            .cut("dimension_id", "metric", "load_id")
        )
        petl.appenddb(facts, connection, "fact_sales")


if __name__ == "__main__":
    main(*sys.argv[1:])
