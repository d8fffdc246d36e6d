"""A dimension of ten million members: frozen in a map, and a partition of 100,000 rows looked up in it."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path

from benchmarks.contestants import PERIOD
from benchmarks.costs.engine import demo_feed, fresh, one_step, write_feed
from benchmarks.costs.figure import Line, Measured, Runs, Setting, WrongResult
from benchmarks.costs.members import make_members
from factload_demo.sample import SEED

MEMBERS, FEWER = 10_000_000, 1_000_000
ROWS = 100_000
_GOAL_EXTRACT_MB, _GOAL_LOAD_MB, _GOAL_LOAD_SECONDS = 300.0, 400.0, 3.0


def measure(setting: Setting) -> Measured:
    """Each step in a process of its own. Seconds are the step's, memory is the process's, imports and all."""
    members = FEWER if setting.quick else MEMBERS
    table = f"dim_large_{members}"
    make_members(setting.warehouse, table, members, "P")
    feed = demo_feed()
    feed["dimensions"]["product"]["table"] = table
    feed["workbook"]["sheet"] = 0
    feed["rows_per_partition"] = ROWS
    write_feed(setting.folder, "large", feed)
    workbook, total = _workbook(setting.folder, members)
    state = setting.folder / "large-dimension.json"
    runs = Runs("large_dimension")
    for _ in setting.rounds():
        fresh(setting)
        state.write_text(json.dumps({"feed": "large", "period": PERIOD, "workbook": str(workbook)}))
        one_step(setting, "open_load", state)
        extracted, cost_of_extract = one_step(setting, "extract_dimension_map", state)
        one_step(setting, "split_workbook", state)
        loaded, cost_of_load = one_step(setting, "load_partition", state)
        staged, summed = loaded["counts"]["staged"], Decimal(loaded["counts"]["totals"]["metric"])
        if (staged, summed) != (ROWS, total):
            raise WrongResult(f"{staged} rows staged, {summed} in sum; {ROWS} and {total} expected")
        runs.add(
            extract=extracted["seconds"],
            extract_mb=cost_of_extract["process_mb"],
            load=loaded["seconds"],
            load_mb=cost_of_load["process_mb"],
            load_process=cost_of_load["seconds"],
        )
    of_all = f"of {members:,} members"
    return Measured(
        [
            Line(f"map {of_all}, peak memory", runs.most("extract_mb"), "MB", _GOAL_EXTRACT_MB),
            Line("- seconds", runs.median("extract"), "s"),
            Line(f"{ROWS:,} rows against it", runs.median("load"), "s", _GOAL_LOAD_SECONDS),
            Line("- peak memory", runs.most("load_mb"), "MB", _GOAL_LOAD_MB),
            Line("- the whole process", runs.median("load_process"), "s"),
        ],
        runs.taken,
    )


def _workbook(folder: Path, members: int) -> tuple[Path, Decimal]:
    """Rows whose keys lie anywhere among the members, and the sum of their metrics. As CSV: reading isn't asked."""
    path = folder / f"large-dimension-{members}.csv"
    rng = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    total = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("business_key,metric\n")
        for _ in range(ROWS):
            cents = rng.randrange(-50_000, 500_000)
            file.write(f"P{rng.randrange(members):07d},{cents / 100:.2f}\n")
            total += cents
    return path, Decimal(total).scaleb(-2)
