"""This project's reader alone: the sheet by windows into partition files, typed as the demo feed declares."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.compute as pc

from factload.checksum import sha256_of
from factload.sheet.field import SheetField
from factload.split.partitions import Origin, split_workbook
from factload.sql_types import parse_sql_type
from factload.staging.files import open_table
from factload.staging.folder import FolderPlace

FIELDS = [
    SheetField("dimension_id", "business_key", "key", parse_sql_type("text"), required=True),
    SheetField("metric", "metric", "value", parse_sql_type("numeric(18,4)"), required=True),
]


def further(columns: str) -> list[SheetField]:
    """Fields for further columns, whose names begin with their type: ``date_4``."""
    names = columns.split(",") if columns else []
    types = {name: name.partition("_")[0].replace("numeric", "numeric(18,4)") for name in names}
    return [SheetField(name, name, "value", parse_sql_type(types[name])) for name in names]


def main(workbook: str, columns: str = "", threads: str = "2") -> None:
    """Split it, and print what the partition files hold."""
    path = Path(workbook)
    origin = Origin(path.name, sha256_of(path))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        split = split_workbook(
            path,
            origin,
            sheet=0 if path.suffix == ".csv" else "Facts",
            fields=[*FIELDS, *further(columns)],
            place=FolderPlace(Path(folder)),
            rows_per_partition=100_000,
            threads=int(threads),
        )
        seconds = time.perf_counter() - started
        total = sum(float(pc.sum(open_table(p.path, p.sha256)["metric"]).as_py()) for p in split.partitions)
        print(json.dumps({"rows": split.rows, "total": total, "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
