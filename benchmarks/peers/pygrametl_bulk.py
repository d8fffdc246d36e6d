"""pygrametl: a prefilled CachedDimension and a BulkFactTable by COPY, fed by python-calamine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import psycopg2
from pygrametl import ConnectionWrapper
from pygrametl.tables import BulkFactTable, CachedDimension
from python_calamine import CalamineWorkbook


def main(*workbooks: str, url: str) -> None:
    """Load them."""
    connection = psycopg2.connect(url)
    wrapper = ConnectionWrapper(connection)

    def copy(
        name: str, attributes: Sequence[str], fieldsep: str, rowsep: str, nullsubst: str, file: Any
    ) -> None:
        with connection.cursor() as cursor:
            cursor.copy_from(file, name, sep=fieldsep, null=str(nullsubst), columns=attributes)

    product = CachedDimension(
        name="dim_product",
        key="primary_synthetic_key",
        attributes=["business_key"],
        size=0,
        prefill=True,
    )
    sales = BulkFactTable(
        name="fact_sales", keyrefs=["dimension_id"], measures=["metric", "load_id"], bulkloader=copy
    )
    for workbook in workbooks:
        rows = CalamineWorkbook.from_path(workbook).get_sheet_by_name("Facts").iter_rows()
        next(rows)
        for key, metric in rows:
            row = {"business_key": key, "metric": metric, "load_id": "sales@2026-11-05"}
            row["dimension_id"] = product.lookup(row)
            sales.insert(row)
    wrapper.commit()
    wrapper.close()


if __name__ == "__main__":
    main(*sys.argv[1:-1], url=sys.argv[-1])
