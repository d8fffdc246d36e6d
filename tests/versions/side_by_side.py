"""Test runs that go on at the same time, each into a log of its own, and what came of them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
UV = PROJECT / ".venv/bin/uv"


@dataclass(frozen=True)
class SuiteRun:
    """A command to run, what its result is called, and where its output goes."""

    name: str
    command: Sequence[str | Path]
    log: Path


def failed_of(runs: Sequence[SuiteRun]) -> list[SuiteRun]:
    """Carry the runs out side by side; print each one's last line, and the whole log of those that fail."""
    began = time.monotonic()
    with ExitStack() as logs:
        started = [
            subprocess.Popen(
                list(map(str, run.command)),
                cwd=PROJECT,
                stdout=logs.enter_context(run.log.open("wb")),
                stderr=subprocess.STDOUT,
            )
            for run in runs
        ]
        try:
            failed = [run for run, process in zip(runs, started, strict=True) if process.wait() != 0]
        except BaseException:
            for process in started:
                process.terminate()
            raise
    for run in failed:
        print(f"---- {run.name}: {run.log.relative_to(PROJECT)}\n{run.log.read_text(errors='replace')}")
    for run in runs:
        print(f"{run.name}: {_last_line(run.log)}")
    print(f"All of it took {time.monotonic() - began:.0f} s.", flush=True)
    return failed


def installed(folder: Path, key: str, *commands: Sequence[str | Path]) -> bool:
    """Run the commands that fill ``folder``, unless they did so for the same ``key`` before; say if one fails."""
    done = folder / ".installed"
    if done.is_file() and done.read_text(encoding="utf-8") == key:
        return True
    for command in commands:
        result = subprocess.run(
            list(map(str, command)),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if result.returncode != 0:
            print(result.stderr.strip(), file=sys.stderr)
            return False
    done.write_text(key, encoding="utf-8")
    return True


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return lines[-1].strip("= ") if lines else "printed nothing"
