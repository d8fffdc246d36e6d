"""A load that is published already: what it takes to find that there is nothing to do."""

from __future__ import annotations

import json

from benchmarks.contestants import PERIOD
from benchmarks.costs.engine import (
    demo_feed,
    environment,
    fresh,
    one_step,
    run_command,
    timed_run,
    write_feed,
)
from benchmarks.costs.figure import Line, Measured, Runs, Setting, WrongResult
from benchmarks.data import sample

_GOAL_SECONDS = 1.0


def measure(setting: Setting) -> Measured:
    """The whole command a second time, and `open_load` alone in a process that has the engine imported."""
    workbook = sample(setting.folder, setting.rows).workbooks[0]
    write_feed(setting.folder, "sales", demo_feed())
    fresh(setting)
    command = run_command("sales", setting.warehouse.url, "--workbook", str(workbook))
    first, _ = timed_run(command, environment(setting.folder))
    state = setting.folder / "second-run.json"
    state.write_text(json.dumps({"feed": "sales", "period": PERIOD, "workbook": str(workbook)}))
    runs = Runs("second_run")
    for _ in setting.rounds():
        again, seconds = timed_run(command, environment(setting.folder))
        opened, _ = one_step(setting, "open_load", state)
        if not opened["load"]["already_published"] or opened["load"]["epoch"] != 1 or again != first:
            raise WrongResult("a second run of what is published did something")
        runs.add(command=seconds, open_load=opened["seconds"])
    return Measured(
        [
            Line("second `factload run`, the whole command", runs.median("command"), "s", _GOAL_SECONDS),
            Line("- open_load alone", runs.median("open_load"), "s", _GOAL_SECONDS),
        ],
        runs.taken,
    )
