"""The engine as the figures run it: feeds of their own, the real command, single steps in their own processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.contestants import PERIOD, PROJECT
from benchmarks.costs.figure import Setting, WrongResult
from benchmarks.runs import watched

DEMO_FEED = PROJECT / "include" / "feeds" / "sales.yaml"


def environment(folder: Path) -> dict[str, str]:
    """What engine and feeds need in their environment; nothing else of a project is used."""
    return {
        "FACTLOAD_HOME": str(folder),
        "FACTLOAD_FEEDS": str(folder / "feeds" / "costs"),
        "FACTLOAD_ALLOWED_ROOTS": str(folder),
        "FACTLOAD_STAGING": str(folder / "staging"),
    }


def demo_feed() -> dict[str, Any]:
    """The demo's feed, to be changed and written by ``write_feed``."""
    document: dict[str, Any] = yaml.safe_load(DEMO_FEED.read_text(encoding="utf-8"))
    return document


def write_feed(folder: Path, name: str, document: Mapping[str, Any]) -> None:
    """The feed ``name`` for the processes of ``environment``."""
    path = folder / "feeds" / "costs" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({**document, "feed": name}, sort_keys=False), encoding="utf-8")


def fresh(setting: Setting) -> None:
    """No fact row, no ledger and no staging file of an earlier run."""
    setting.warehouse.renew()
    shutil.rmtree(setting.folder / "staging", ignore_errors=True)


def factload_run(setting: Setting, feed: str, workbook: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """``factload run``: its report, and what its processes cost as ``benchmarks.watch`` says."""
    command = run_command(feed, setting.warehouse.url, "--workbook", str(workbook))
    done, cost = watched(command, setting.folder, environment(setting.folder))
    return published(done, int(cost["status"])), cost


def timed_run(command: list[str], variables: Mapping[str, str]) -> tuple[dict[str, Any], float]:
    """The same of a ``run_command``, and its seconds from start to exit, with nobody watching: that takes time too."""
    started = time.perf_counter()
    done = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    return published(done, done.returncode), seconds


def run_command(feed: str, url: str, *options: str) -> list[str]:
    """The command line of a load of the benchmark's period."""
    factload = str(Path(sys.executable).with_name("factload"))
    return [factload, "run", feed, "--period", PERIOD, "--json", "--url", url, *options]


def published(done: subprocess.CompletedProcess[str], status: int) -> dict[str, Any]:
    """The report of a ``run_command`` that has ended; raises ``WrongResult`` unless the load is published."""
    if status != 0:
        raise WrongResult(f"`factload run` ended with {status}: {done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    if report["state"] != "published":
        raise WrongResult(f"{report['load_id']} is {report['state']}")
    return report


def program(
    setting: Setting, module: str, *arguments: str, variables: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], dict[str, float]]:
    """A module of this package, run as ``module_run``."""
    name, variables = f"benchmarks.costs.{module}", variables or environment(setting.folder)
    return module_run(name, arguments, setting.folder, variables)


def module_run(
    module: str, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, float]]:
    """A module run as a program: the JSON it prints last, and what its process cost."""
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    done, cost = watched(command, folder, variables)
    if cost["status"] != 0:
        raise WrongResult(
            f"{module} {' '.join(arguments)} ended with {cost['status']}: {done.stderr[-2000:]}"
        )
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return printed, cost


def one_step(setting: Setting, name: str, state: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """One step of the load in ``state``, in a process of its own (``one_step``)."""
    return program(setting, "one_step", name, str(state), setting.warehouse.url)
