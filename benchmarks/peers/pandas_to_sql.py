"""pandas: read_excel by its fastest engine, merge, to_sql."""

from __future__ import annotations

import sys

import pandas as pd
from sqlalchemy import create_engine


def main(*workbooks: str, url: str) -> None:
    """Load them."""
    with create_engine(url).begin() as connection:
        products = pd.read_sql("SELECT business_key, primary_synthetic_key FROM dim_product", connection)
        for workbook in workbooks:
            sales = pd.read_excel(
                workbook, sheet_name="Facts", engine="calamine", dtype={"business_key": str}
            )
            facts = sales.merge(products, on="business_key", validate="many_to_one")
            facts = facts.rename(columns={"primary_synthetic_key": "dimension_id"})
            facts = facts.assign(load_id="sales@2026-11-05")
            facts[["dimension_id", "metric", "load_id"]].to_sql(
                "fact_sales", connection, if_exists="append", index=False, chunksize=20_000
            )


if __name__ == "__main__":
    main(*sys.argv[1:-1], url=sys.argv[-1])
