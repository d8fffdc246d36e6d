"""openpyxl, the reader alone: read-only mode, row by row."""

from __future__ import annotations

import json
import sys

from openpyxl import load_workbook


def main(workbook: str) -> None:
    """Read it, and print what came."""
    rows, total = 0, 0.0
    sheet = load_workbook(workbook, read_only=True)["Facts"]
    for _key, metric in sheet.iter_rows(min_row=2, max_col=2, values_only=True):
        rows += 1
        total += metric
    print(json.dumps({"rows": rows, "total": total}))


if __name__ == "__main__":
    main(*sys.argv[1:])
