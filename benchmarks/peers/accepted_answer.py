"""The question's accepted answer: the dimension as plain tuples, Core inserts of dicts by 20,000."""

from __future__ import annotations

import sys

from openpyxl import load_workbook
from sqlalchemy import MetaData, Table, create_engine, insert, select


def main(*workbooks: str, url: str) -> None:
    """Load them."""
    engine = create_engine(url)
    metadata = MetaData()
    dimension = Table("dim_product", metadata, autoload_with=engine)
    fact = Table("fact_sales", metadata, autoload_with=engine)
    with engine.begin() as connection:
        keys = select(dimension.c.business_key, dimension.c.primary_synthetic_key)
        dimension_map = dict(connection.execute(keys).tuples().all())
        buffer = []
        for workbook in workbooks:
            sheet = load_workbook(workbook, read_only=True)["Facts"]
            for key, metric in sheet.iter_rows(min_row=2, max_col=2, values_only=True):
                fields = {"dimension_id": dimension_map[key], "metric": metric, "load_id": "sales@2026-11-05"}
                buffer.append(fields)
                if len(buffer) == 20000:
                    connection.execute(insert(fact), buffer)
                    buffer = []
        if buffer:
            connection.execute(insert(fact), buffer)


if __name__ == "__main__":
    main(*sys.argv[1:-1], url=sys.argv[-1])
