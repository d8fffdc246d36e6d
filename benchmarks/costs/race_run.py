"""The load steps of several loads, each in a process of its own, begun at the same moment.

    python -m benchmarks.costs.race_run DATABASE_URL STATE.json ...

Prints after how many seconds each of them had ended. A deadlock, or any other error, ends it.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from dataclasses import asdict
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import Empty
from typing import Any

from benchmarks.costs.one_step import stepped_load

_SECONDS_AT_MOST = 120.0


def _run(path: str, url: str, start: Barrier, ended: multiprocessing.Queue[tuple[float, int]]) -> None:
    state: dict[str, Any] = json.loads(Path(path).read_text())
    load = stepped_load(state, url)
    [_] = load.split.partitions
    load_rows = load.call("load_partition 1")
    start.wait(_SECONDS_AT_MOST)
    started = time.perf_counter()
    counts = load_rows()
    ended.put((time.perf_counter() - started, asdict(counts)["staged"]))


def main(url: str, *paths: str) -> None:
    """Let them go, and wait for all."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["factload.steps"])
    start, ended = context.Barrier(len(paths)), context.Queue()
    processes = [context.Process(target=_run, args=(path, url, start, ended)) for path in paths]
    for process in processes:
        process.start()
    for process in processes:
        process.join(_SECONDS_AT_MOST)
    if any(process.exitcode != 0 for process in processes):
        sys.exit(1)
    try:
        found = [ended.get(timeout=1) for _ in paths]
    except Empty:
        sys.exit(1)
    print(json.dumps({"seconds": [seconds for seconds, _ in found], "staged": [rows for _, rows in found]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
