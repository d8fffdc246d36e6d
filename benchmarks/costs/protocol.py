"""What exactness costs: fence, ledger and reconcile as a share of the engine's time for the demo's load."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.contestants import PERIOD, PROJECT
from benchmarks.costs.engine import (
    demo_feed,
    environment,
    fresh,
    program,
    run_command,
    timed_run,
    write_feed,
)
from benchmarks.costs.figure import Line, Measured, Runs, Setting, WrongResult
from factload_demo.sample import cached_workbook

_GOAL_PERCENT = 10.0
_SHOWN = 8


def measure(setting: Setting) -> Measured:
    """All steps one after the other in one process, each statement on the clock; and the real command beside it.

    The command's steps run side by side. Its share is what the protocol took in the one process, as if not a moment
    of it ran beside other work, so that the truth is not above it.
    """
    workbook = cached_workbook(PROJECT / ".demo" / "cache", setting.rows)
    write_feed(setting.folder, "sales", demo_feed())
    variables = environment(setting.folder) | {"FACTLOAD_ALLOWED_ROOTS": str(workbook.parent)}
    runs = Runs("protocol")
    for _ in setting.rounds():
        fresh(setting)
        arguments = ("sales", PERIOD, str(workbook), setting.warehouse.url)
        found, _ = program(setting, "protocol_run", *arguments, variables=variables)
        fresh(setting)
        command = run_command("sales", setting.warehouse.url, "--workbook", str(workbook))
        report, seconds = timed_run(command, variables)
        if report["rows"]["published"] != found["published"]:
            raise WrongResult(f"{found['published']} rows were published, and {report['rows']['published']}")
        protocol = sum(found["protocol"].values())
        runs.add(
            protocol=protocol,
            share=100 * protocol / found["wall"],
            one_process=found["wall"],
            share_of_command=100 * protocol / seconds,
            command=seconds,
            parts=found,
        )
    lines = [
        Line("fence, ledger and reconcile, of the engine's wall", runs.median("share"), "%", _GOAL_PERCENT),
        Line("- of `factload run`'s wall, at most", runs.median("share_of_command"), "%", _GOAL_PERCENT),
        Line("- in all", runs.median("protocol"), "s"),
        *_parts(runs, "protocol"),
        Line("the engine's wall in one process", runs.median("one_process"), "s"),
        *_parts(runs, "work"),
    ]
    return Measured(lines, runs.taken)


def _parts(runs: Runs, kind: str) -> list[Line]:
    found: dict[str, list[float]] = {}
    for run in runs.taken:
        parts: dict[str, Any] = run["parts"][kind]
        for name, seconds in parts.items():
            found.setdefault(name, []).append(seconds)
    medians = {name: median(seconds) for name, seconds in found.items()}
    biggest = sorted(medians.items(), key=lambda part: part[1], reverse=True)[:_SHOWN]
    return [Line(f"- {kind}: {name}", seconds, "s") for name, seconds in biggest]
