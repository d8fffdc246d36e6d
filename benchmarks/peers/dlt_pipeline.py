"""dlt: a resource of rows, read by python-calamine as dlt reads no workbook itself, appended to the fact table."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
import psycopg2
from python_calamine import CalamineWorkbook


def facts(workbooks: tuple[str, ...], url: str) -> Iterator[list[dict[str, Any]]]:
    """The fact rows, a page at a time."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT business_key, primary_synthetic_key FROM dim_product")
        dimension_map = dict(cursor.fetchall())
    connection.close()
    page = []
    for workbook in workbooks:
        rows = CalamineWorkbook.from_path(workbook).get_sheet_by_name("Facts").iter_rows()
        next(rows)
        for key, metric in rows:
            fields = {"dimension_id": dimension_map[key], "metric": metric, "load_id": "sales@2026-11-05"}
            page.append(fields)
            if len(page) == 20_000:
                yield page
                page = []
    yield page


def main(*workbooks: str, url: str) -> None:
    """Load them."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "benchmark",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(
                # dlt insists on a host and a password; the address of the socket, which comes later, wins.
                url.replace("postgres@/", "postgres:unused@localhost/"),
                # Its unique index on a column of its own costs time, and a partitioned table can't have it.
                create_indexes=False,
            ),
            dataset_name="public",
        )
        resource = dlt.resource(
            facts,
            name="fact_sales",
            write_disposition="append",
            file_format="csv",
            columns={
                "dimension_id": {"data_type": "bigint"},
                "metric": {"data_type": "decimal", "precision": 18, "scale": 4},
                "load_id": {"data_type": "text"},
            },
        )
        pipeline.run(resource(workbooks, url)).raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:-1], url=sys.argv[-1])
