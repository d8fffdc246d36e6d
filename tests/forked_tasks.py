"""Tasks that are forked with their modules: a test's Airflow spends half of its processor time on importing them."""

from __future__ import annotations

from pathlib import Path

# Airflow imports a module of this name at its start; the processes that run tasks are forked from the scheduler.
_IN_THE_SCHEDULER = """
import sys

__all__ = []  # no setting of Airflow
if "scheduler" in sys.argv:
    import factload.airflow.dags
    import factload.steps
"""


def import_before_the_fork(airflow_home: Path) -> None:
    """Have the scheduler of this AIRFLOW_HOME import what tasks need. Each still reads the DAG file and its feeds."""
    folder = airflow_home / "config"
    folder.mkdir(parents=True)
    (folder / "airflow_local_settings.py").write_text(_IN_THE_SCHEDULER, encoding="utf-8")
