"""COPY of rows that are ready: no workbook, no lookup. What any load into this table has to pay."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg2


def main(ready_rows: str, url: str) -> None:
    """Load the CSV file of fact rows."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor, Path(ready_rows).open("rb") as rows:
        cursor.copy_expert("COPY fact_sales (dimension_id, metric, load_id) FROM STDIN (FORMAT csv)", rows)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
