"""polars: read_excel, join, and ADBC's COPY in binary. The fastest plain script, and the one to beat."""

from __future__ import annotations

import sys

import polars as pl


def main(*workbooks: str, url: str) -> None:
    """Load them."""
    products = pl.read_database_uri(
        "SELECT business_key, primary_synthetic_key AS dimension_id FROM dim_product", url, engine="adbc"
    )
    for workbook in workbooks:
        sales = pl.read_excel(
            workbook, sheet_name="Facts", engine="calamine", schema_overrides={"business_key": pl.String}
        )
        facts = sales.join(products, on="business_key", validate="m:1").select(
            "dimension_id",
            pl.col("metric").cast(pl.Decimal(18, 4)),
            pl.lit("sales@2026-11-05").alias("load_id"),
        )
        facts.write_database("fact_sales", url, engine="adbc", if_table_exists="append")


if __name__ == "__main__":
    main(*sys.argv[1:-1], url=sys.argv[-1])
