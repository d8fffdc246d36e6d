"""Airflow's command line, for tests that have an Airflow."""

from __future__ import annotations

import subprocess
import sys

from factload_demo.airflow_place import Place, environment_of


def airflow(place: Place, *arguments: str, seconds: float = 120) -> str:
    """What a command of the place's Airflow says; it must end well, and in time."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "airflow", *arguments],
        env=environment_of(place, 0), cwd=place.folder, check=True, stdout=subprocess.PIPE, text=True, timeout=seconds,
    )  # fmt: skip
    return ended.stdout
