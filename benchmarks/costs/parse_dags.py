"""Reads the DAG file once, as a process of Airflow's does, and prints how long that took beyond importing Airflow.

    python -m benchmarks.costs.parse_dags [--watch]

With ``--watch`` every file that is opened is looked at, which takes time: that run's seconds mean nothing.
"""

# ruff: noqa: E402, F401, I001 - the order of the imports is what is measured
from __future__ import annotations

import json
import sys
import time

_began = time.perf_counter()

import airflow
from airflow.sdk import DAG, chain, task
from airflow.dag_processing.dagbag import DagBag

_imported = time.perf_counter() - _began

import os
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
_CODE = (".py", ".pyc")


def _strange(path: str, feeds: Path) -> bool:
    """Whether a file is neither a feed nor code. What Python itself asks of the system is neither here nor there."""
    opened = Path(path)
    is_feed = opened.suffix == ".yaml" and opened.parent == feeds
    return not is_feed and opened.suffix not in _CODE


def main() -> None:
    """Read the DAG file, and print what came of it."""
    opened: list[str] = []
    if "--watch" in sys.argv:

        def look(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open" and isinstance(arguments[0], str):
                opened.append(arguments[0])

        sys.addaudithook(look)
    started, cpu = time.perf_counter(), time.process_time()
    bag = DagBag(str(PROJECT / "dags" / "load_feeds.py"))
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    feeds = Path(os.environ["FACTLOAD_FEEDS"])
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu_seconds": cpu_seconds,
                "importing": _imported,
                "dags": len(bag.dags),
                "errors": bag.import_errors,
                "opened": sorted({path for path in list(opened) if _strange(path, feeds)}),
            }
        )
    )


if __name__ == "__main__":
    main()
