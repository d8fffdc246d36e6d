"""petl: fromxlsx, a hash join with the dimension, appenddb. It streams, and its insert is `executemany`."""

from __future__ import annotations

import sys

import petl
import psycopg


def main(*workbooks: str, url: str) -> None:
    """Load them."""
    with psycopg.connect(url) as connection:
        products = petl.fromdb(connection, "SELECT business_key, primary_synthetic_key FROM dim_product")
        for workbook in workbooks:
            facts = (
                petl.fromxlsx(workbook, sheet="Facts", read_only=True)
                .hashjoin(products, key="business_key")
                .rename("primary_synthetic_key", "dimension_id")
                .addfield("load_id", "sales@2026-11-05")
                .cut("dimension_id", "metric", "load_id")
            )
            petl.appenddb(facts, connection, "fact_sales")


if __name__ == "__main__":
    main(*sys.argv[1:-1], url=sys.argv[-1])
