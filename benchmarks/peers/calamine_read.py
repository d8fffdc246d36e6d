"""python-calamine, the reader alone: row by row."""

from __future__ import annotations

import json
import sys
import time

from python_calamine import CalamineWorkbook


def main(workbook: str) -> None:
    """Read it, and print what came."""
    started = time.perf_counter()
    rows, total = 0, 0.0
    lines = CalamineWorkbook.from_path(workbook).get_sheet_by_name("Facts").iter_rows()
    next(lines)
    for line in lines:
        rows += 1
        total += line[1]
    seconds = time.perf_counter() - started
    print(json.dumps({"rows": rows, "total": total, "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
