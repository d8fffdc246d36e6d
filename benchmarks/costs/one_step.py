"""One step of a load in a process of its own, as an Airflow task runs it; the clock runs for the step's call alone.

    python -m benchmarks.costs.one_step STEP STATE.json DATABASE_URL

STEP is open, extract, split or load; or prepare, which is the first three. STATE begins as ``{"feed", "period",
"workbook"}``; each step puts there what the next ones need, as tasks get it from Airflow.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from factload import steps
from factload.feed.file import read_feed
from factload.feed.model import Feed
from factload.load import DimensionMap, Load, PartitionFile
from factload.memory import save_memory

State = dict[str, Any]


def _open(state: State, feed: Feed, url: str) -> None:
    period, workbook = date.fromisoformat(state["period"]), state["workbook"]
    state["load"] = steps.open_load(feed, period, database=url, workbook=workbook).to_json()


def _extract(state: State, feed: Feed, url: str) -> None:
    load = Load.from_json(state["load"])
    state["maps"] = [
        asdict(steps.extract_dimension_map(load, feed, name, database=url)) for name in feed.maps
    ]


def _split(state: State, feed: Feed, url: str) -> None:
    split = steps.split_workbook(Load.from_json(state["load"]), feed, database=url)
    state["partitions"] = [asdict(partition) for partition in split.partitions]


def _load(state: State, feed: Feed, url: str) -> None:
    load = Load.from_json(state["load"])
    maps = [DimensionMap(**found) for found in state["maps"]]
    [partition] = [PartitionFile(**found) for found in state["partitions"]]
    state["counts"] = asdict(steps.load_partition(load, feed, partition, maps, database=url))


def _prepare(state: State, feed: Feed, url: str) -> None:
    for step in (_open, _extract, _split):
        step(state, feed, url)


_STEPS: dict[str, Callable[[State, Feed, str], None]] = {
    "open": _open,
    "extract": _extract,
    "split": _split,
    "load": _load,
    "prepare": _prepare,
}


def main(step: str, path: str, url: str) -> None:
    """Run one step, keep what it returned, and print how long it took."""
    save_memory()
    state = json.loads(Path(path).read_text())
    feed = read_feed(state["feed"])
    started = time.perf_counter()
    _STEPS[step](state, feed, url)
    seconds = time.perf_counter() - started
    Path(path).write_text(json.dumps(state))
    print(json.dumps({"seconds": seconds, **{name: state.get(name) for name in ("load", "counts")}}))


if __name__ == "__main__":
    main(*sys.argv[1:])
