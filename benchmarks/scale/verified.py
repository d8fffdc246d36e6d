"""`factload verify` of what a load has published: what it costs either side.

python -m benchmarks.scale.verified    # this alone is measured anew, and written into docs/scaling.json and its page
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.contestants import PROJECT
from benchmarks.costs.engine import environment, published, run_command
from benchmarks.costs.figure import WrongResult
from benchmarks.data import sample
from benchmarks.runs import watched, watched_with_server
from benchmarks.scale import page
from benchmarks.scale.place import FEED, ScalePlace
from benchmarks.tables import PARTITIONED
from benchmarks.warehouse import Warehouse, warehouse
from factload_demo.sample import MEMBERS, ROWS

FOLDER = PROJECT / ".demo" / "bench"
_LEAST_ROWS = 2_000
_TIMES = 3
_BYTES_READ = text("""
    SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0))
        * current_setting('block_size')::int
    FROM pg_statio_user_tables
    WHERE relid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'fact_sales'::regclass)
""")


@dataclass(frozen=True)
class VerifyRun:
    """What one command cost: seconds, those of the processors of client and server apart, and the processors that other
    programs used meanwhile. ``read_bytes``: of the fact table and its indexes, in memory or not."""

    rows: int
    seconds: float
    cpu: float
    server_cpu: float
    others: float
    read_bytes: int


def measure(base: Warehouse, place: ScalePlace, rows: int = ROWS) -> dict[str, Any]:
    """A load of hardly any rows verified, for what the command itself takes, and one of ``rows``."""
    least = list(_verified(base, place, _LEAST_ROWS))
    runs = list(_verified(base, place, rows))
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "least": [asdict(run) for run in least],
        "runs": [asdict(run) for run in runs],
    }


def _verified(base: Warehouse, place: ScalePlace, rows: int) -> Iterator[VerifyRun]:
    base.renew(PARTITIONED, partition=False)
    place.put(sample(FOLDER, rows, members=MEMBERS, workbooks=1).workbooks)
    done, cost = watched(run_command(FEED, base.url), place.home, environment(place.home))
    published(done, int(cost["status"]))
    for _ in range(_TIMES):
        run = _run(base, place, rows)
        print(
            f"  verify of {rows:>11,} rows {run.seconds:8.2f} s, CPU {run.cpu:.2f} s client {run.server_cpu:.2f} s "
            f"server, others {run.others:.2f} processors",
            flush=True,
        )
        yield run


def _run(base: Warehouse, place: ScalePlace, rows: int) -> VerifyRun:
    """Raises ``WrongResult`` unless the load stands, proved by its digest."""
    factload = str(Path(sys.executable).with_name("factload"))
    command = [factload, "verify", FEED, "--json", "--url", base.url]
    before = _bytes_read(base)
    done, cost = watched_with_server(command, place.home, environment(place.home), base)
    [load] = json.loads(done.stdout)["loads"] if cost["status"] == 0 else [{}]
    if load.get("proved_by") != ["rows", "totals", "digest"]:
        raise WrongResult(
            f"`factload verify` ended with {cost['status']}: {done.stdout}{done.stderr[-2000:]}"
        )
    return VerifyRun(
        rows,
        round(cost["seconds"], 2),
        round(cost["cpu_seconds"], 2),
        round(cost["server_cpu_seconds"], 2),
        round(cost["others_cpu_seconds"] / cost["seconds"], 2),
        _bytes_read(base) - before,
    )


def _bytes_read(base: Warehouse) -> int:
    with base.connected() as connection:
        return int(connection.scalar(_BYTES_READ) or 0)


def main() -> None:
    """Measure, and write."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = ScalePlace(FOLDER)
    with warehouse(PROJECT) as base:
        try:
            page.write({**page.read(), "verified": measure(base, place)})
        finally:
            place.remove()


if __name__ == "__main__":
    main()
