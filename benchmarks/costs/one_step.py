"""One step of a load in a process of its own, as an Airflow task runs it; the clock runs for the step's call alone.

    python -m benchmarks.costs.one_step STEP STATE.json DATABASE_URL

STEP is a step's name in the DAG, or ``prepare`` for all that comes before the rows are loaded. STATE begins as
``{"feed", "period", "workbook"}``; each step puts there what the next ones need, as tasks get it from Airflow.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from factload import steps
from factload.feed.file import read_feed
from factload.load import DimensionMap, Load, PartitionFile, Split
from factload.memory import save_memory
from tests.driver import SteppedLoad


def stepped_load(state: dict[str, Any], url: str) -> SteppedLoad:
    """The load of a state, as far as it has come."""
    feed, period = read_feed(state["feed"]), date.fromisoformat(state["period"])
    opening = partial(steps.open_load, feed, period, workbook=state["workbook"])
    load = SteppedLoad(opening, feed, url)
    if "load" in state:
        load.load = Load.from_json(state["load"])
        load.maps = [DimensionMap(**frozen) for frozen in state["maps"]]
        load.returned["split_workbook"] = [
            Split(tuple(PartitionFile(**partition) for partition in split), ()) for split in state["splits"]
        ]
    return load


def main(step: str, path: str, url: str) -> None:
    """Run one step, keep what it returned, and print how long it took."""
    save_memory()
    state = json.loads(Path(path).read_text())
    load = stepped_load(state, url)
    started = time.perf_counter()
    if step == "prepare":
        load.until("load_partition")
    else:
        load.run(step)
    seconds = time.perf_counter() - started
    returned = {name: [asdict(value) for value in load.returned.get(name, [])] for name in _KEPT}
    state |= {
        "load": load.load.to_json(),
        "maps": returned["extract_dimension_map"],
        "splits": [split["partitions"] for split in returned["split_workbook"]],
    }
    Path(path).write_text(json.dumps(state))
    counts = next(iter(returned["load_partition"]), None)
    print(json.dumps({"seconds": seconds, "load": state["load"], "counts": counts}))


_KEPT = ("extract_dimension_map", "split_workbook", "load_partition")

if __name__ == "__main__":
    main(*sys.argv[1:])
