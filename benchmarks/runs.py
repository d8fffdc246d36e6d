"""One run of one contestant: a fresh fact table, a process of its own, and proof that the rows arrived."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import PROJECT, Contestant
from benchmarks.data import Sample
from benchmarks.tables import FactTable
from benchmarks.warehouse import Warehouse

_HALF_A_CENT = 0.005  # readers print a sum of binary fractions


@dataclass(frozen=True)
class Task:
    """A sample, its rows ready for COPY, and the sum of the surrogate keys they have in this database."""

    sample: Sample
    ready_rows: Path
    keys_total: int


@dataclass(frozen=True)
class Run:
    """What one run cost, memory in 10^6 bytes, and whether its result was right.

    `cpu_seconds` are the client's, all its processes; `server_cpu_seconds` PostgreSQL's: what a busy machine distorts
    least. `others_cpu_seconds` are what the rest of the machine used meanwhile, without what watches the process.
    `call_seconds` is what a reader says of its reading call. `peak_mb` is of the client's process tree, where pages
    that processes share count in each; `pss_mb` the same with such pages counted once; `process_mb` the tree's largest
    process. `steps_mb` is factload's own report, step -> its largest process.
    """

    name: str
    table: str
    seconds: float
    cpu_seconds: float
    server_cpu_seconds: float
    others_cpu_seconds: float
    call_seconds: float
    peak_mb: float
    pss_mb: float
    process_mb: float
    ok: bool
    steps_mb: dict[str, float]
    steps_seconds: dict[str, float]
    complaint: str = ""


def watched(
    command: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[str], dict[str, float]]:
    """Carry out a command; what it printed, and what it cost, as ``benchmarks.watch`` says."""
    cost_file = folder / "cost.json"
    cost_file.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.watch", str(cost_file), *command],
        cwd=PROJECT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"The measuring process failed:\n{done.stderr}")
    return done, json.loads(cost_file.read_text())


def watched_with_server(
    command: list[str], folder: Path, environment: Mapping[str, str] | None, warehouse: Warehouse
) -> tuple[subprocess.CompletedProcess[str], dict[str, float]]:
    """The same of a command that uses the warehouse; beside its cost ``server_cpu_seconds``, which PostgreSQL used, and
    ``others_cpu_seconds``, which the rest of the machine did."""
    before = warehouse.cpu_seconds()
    done, cost = watched(command, folder, environment)
    server = warehouse.cpu_seconds() - before
    others = max(0.0, cost["machine_cpu_seconds"] - cost["cpu_seconds"] - server)
    return done, {**cost, "server_cpu_seconds": server, "others_cpu_seconds": others}


def run_once(contestant: Contestant, task: Task, table: FactTable, warehouse: Warehouse, folder: Path) -> Run:
    """Measure one run; an error of the contestant's own is a run that is not `ok`."""
    if contestant.kind != "read":
        warehouse.renew(table, partition=not contestant.makes_partitions)
    shutil.rmtree(folder / "staging", ignore_errors=True)
    made = task.sample
    command = contestant.command(made.workbooks, made.pattern, task.ready_rows, warehouse.url)
    done, cost = watched_with_server(command, folder, contestant.environment(folder), warehouse)
    complaint, seen = "", {}
    if cost["status"] != 0:
        complaint = f"exit status {cost['status']}: {done.stderr.strip()[-2000:]}"
    elif contestant.kind == "read":
        seen = json.loads(done.stdout)
        complaint = _wrong_reading(seen, task)
    else:
        complaint = _wrong_facts(task, warehouse)
    report = json.loads(done.stdout) if contestant.kind == "factload" and not complaint else {}
    return Run(
        contestant.name,
        "" if contestant.kind == "read" else table.name,
        seconds=cost["seconds"],
        cpu_seconds=cost["cpu_seconds"],
        server_cpu_seconds=cost["server_cpu_seconds"],
        others_cpu_seconds=cost["others_cpu_seconds"],
        call_seconds=seen.get("seconds", 0.0),
        peak_mb=cost["tree_mb"],
        pss_mb=cost["tree_pss_mb"],
        process_mb=cost["process_mb"],
        ok=not complaint,
        steps_mb=report.get("peak_rss_mb", {}),
        steps_seconds=report.get("seconds", {}),
        complaint=complaint,
    )


def _wrong_reading(seen: Mapping[str, float], task: Task) -> str:
    expected = {"rows": task.sample.rows, "total": float(task.sample.total)}
    right = seen["rows"] == expected["rows"] and abs(seen["total"] - expected["total"]) < _HALF_A_CENT
    return "" if right else f"read {seen}, expected {expected}"


def _wrong_facts(task: Task, warehouse: Warehouse) -> str:
    seen = warehouse.facts()
    expected = (task.sample.rows, task.sample.total, task.keys_total)
    return "" if seen == expected else f"rows, metrics and keys come to {seen}, expected {expected}"
