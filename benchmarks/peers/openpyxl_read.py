"""openpyxl, the reader alone: read-only mode, row by row."""

from __future__ import annotations

import json
import sys
import time

from openpyxl import load_workbook


def main(workbook: str) -> None:
    """Read it, and print what came."""
    started = time.perf_counter()
    rows, total = 0, 0.0
    sheet = load_workbook(workbook, read_only=True)["Facts"]
    for line in sheet.iter_rows(min_row=2, values_only=True):
        rows += 1
        total += line[1]
    seconds = time.perf_counter() - started
    print(json.dumps({"rows": rows, "total": total, "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
