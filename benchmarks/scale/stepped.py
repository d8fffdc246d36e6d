"""The steps of a load one after another in one process, each with its wall time and the processor time of both sides.

    python -m benchmarks.scale.stepped FEED DATABASE_URL SERVER_PID

The load runs twice, once without measuring: what the first of a process imports and compiles is no cost of a row.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.contestants import PERIOD
from benchmarks.warehouse import server_cpu_seconds
from factload import steps
from factload.feed.file import read_feed
from factload.memory import save_memory
from tests.driver import SteppedLoad

_SETTLED_SECONDS = 0.2  # the server's writers and parallel workers are a little behind


def measured(call: Callable[[], Any], server: psutil.Process) -> dict[str, float]:
    """What one call took."""
    server_before, wall, client = server_cpu_seconds(server), time.perf_counter(), time.process_time()
    call()
    seconds, client = time.perf_counter() - wall, time.process_time() - client
    time.sleep(_SETTLED_SECONDS)
    return {"seconds": seconds, "client": client, "server": server_cpu_seconds(server) - server_before}


def main(name: str, url: str, server: int) -> None:
    """Run the load's steps and print what each took, all calls of it together."""
    save_memory()
    feed, watched = read_feed(name), psutil.Process(server)
    found: dict[str, dict[str, float]] = {}
    staged: dict[str, int] = {}
    for _ in ("to warm up", "to measure"):
        opening = partial(steps.open_load, feed, date.fromisoformat(PERIOD), reload=True)
        load = SteppedLoad(opening, feed, url)
        found.clear()
        for step in load.steps:
            kind = step.partition(" ")[0]
            if kind == "reconcile":
                complete = partial(steps.complete_staging, load.load, feed, database=url)
                _add(found, "complete_staging", measured(complete, watched))
            _add(found, kind, measured(partial(load.run, step), watched))
            if kind == "load_partition":
                files = [partition.path for partition in load.split.partitions]
                staged = {"rows": _bytes(files), "members": _bytes([frozen.path for frozen in load.maps])}
    print(json.dumps({"steps": found, "staged": staged}))


def _add(found: dict[str, dict[str, float]], step: str, taken: dict[str, float]) -> None:
    of_step = found.setdefault(step, dict.fromkeys(taken, 0.0))
    for name, seconds in taken.items():
        of_step[name] += seconds


def _bytes(paths: list[str]) -> int:
    return sum(Path(path).stat().st_size for path in paths)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
