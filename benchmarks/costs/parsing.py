"""What 200 feeds cost Airflow whenever it reads the DAG file."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.contestants import PROJECT
from benchmarks.costs.engine import DEMO_FEED
from benchmarks.costs.figure import Line, Measured, Runs, Setting, WrongResult

FEEDS = 200
_GOAL_SECONDS = 2.0


def measure(setting: Setting) -> Measured:
    """Seconds from `DagBag` called to 200 DAGs read, Airflow itself imported before; once more under watch."""
    folder = setting.folder / "parsing"
    _write_feeds(folder / "feeds")
    runs = Runs("parsing")
    with _nobody_at_home(folder) as called:
        _parse(folder, called.path, watch=False)  # writes the compiled modules
        _parse(folder, called.path, watch=True)
        for _ in setting.rounds():
            read = _parse(folder, called.path, watch=False)
            runs.add(seconds=read["seconds"], cpu_seconds=read["cpu_seconds"], importing=read["importing"])
        if called.count:
            raise WrongResult(f"reading the DAG file opened {called.count} connections to a database")
    lines = [
        Line(f"DAG file with {FEEDS} feeds", runs.median("seconds"), "s", _GOAL_SECONDS),
        Line("- of CPU", runs.median("cpu_seconds"), "s"),
        Line("- importing Airflow, before that", runs.median("importing"), "s"),
    ]
    return Measured(lines, runs.taken)


def _write_feeds(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    document = DEMO_FEED.read_text(encoding="utf-8")
    for number in range(FEEDS):
        name = f"sales_{number:03}"
        (folder / f"{name}.yaml").write_text(document.replace("feed: sales", f"feed: {name}", 1))


def _parse(folder: Path, database: Path, *, watch: bool) -> dict[str, Any]:
    url = f"postgresql://nobody@/nowhere?host={database.parent}"
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "benchmarks.costs.parse_dags",
            *(["--watch"] if watch else []),
        ],
        cwd=PROJECT,
        env={
            **os.environ,
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url.replace(":", "+psycopg2:", 1),
            "AIRFLOW_CONN_WAREHOUSE": url,
            "FACTLOAD_FEEDS": str(folder / "feeds"),
            "PYTHONPATH": str(PROJECT / "include"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WrongResult(f"the DAG file could not be read: {done.stderr[-2000:]}")
    read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if read["errors"] or read["dags"] != FEEDS:
        raise WrongResult(f"{read['dags']} DAGs of {FEEDS} were read: {read['errors']}")
    if read["opened"]:
        raise WrongResult(f"reading the DAG file opened other files: {', '.join(read['opened'][:20])}")
    return read


class _Called:
    """Where a database would listen, and how often somebody came."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        while True:
            try:
                came, _ = self._socket.accept()
            except OSError:
                return
            came.close()
            self.count += 1

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._listener.join()


@contextmanager
def _nobody_at_home(folder: Path) -> Iterator[_Called]:
    """A place that answers nobody and counts everybody: drivers connect in C, where no hook of Python sees them."""
    path = folder / ".s.PGSQL.5432"
    path.unlink(missing_ok=True)
    called = _Called(path)
    try:
        yield called
    finally:
        called.close()
        path.unlink()
