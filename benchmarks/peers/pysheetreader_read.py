"""SheetReader's Python binding, the reader alone: the sheet's columns."""

from __future__ import annotations

import json
import sys
import time

import pysheetreader


def main(workbook: str) -> None:
    """Read it, and print what came."""
    started = time.perf_counter()
    columns, *_ = pysheetreader.read_xlsx(workbook, sheet="Facts")
    seconds = time.perf_counter() - started
    metrics = columns["metric"]
    print(json.dumps({"rows": len(metrics), "total": float(sum(metrics)), "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
