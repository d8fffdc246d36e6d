"""What Airflow adds: the demo's run of its DAG against the same load by the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks.costs.engine import run_command, timed_run
from benchmarks.costs.figure import Line, Measured, Runs, Setting, WrongResult
from factload.reports.report import read_report
from factload_demo.airflow_api import AirflowApi, TaskInstance
from factload_demo.display import Steps
from factload_demo.sample import fact_sales
from factload_demo.setup import DAG_ID, FEED, FOLDER, PROJECT, Ready, Sizes, alone, connection_uri, everything
from factload_demo.watch import follow

_GOAL_SECONDS = 12.0


def measure(setting: Setting) -> Measured:
    """Both in turns, while the demo's Airflow (LocalExecutor) runs: one database, workbook and feed, all loaded anew.

    A run of the DAG lasts from its start to its end as Airflow's REST interface gives them, the command from its
    start to its exit.
    """
    sizes, quiet = Sizes(setting.rows), Console(quiet=True)
    runs = Runs("airflow")
    with alone(), Steps(quiet) as steps, everything(sizes, steps, stay=False) as ready:
        api = AirflowApi(ready.site)
        for left_over in api.unfinished_runs(
            DAG_ID
        ):  # of a demo that was killed: it would keep this one waiting
            api.give_up(DAG_ID, left_over)
        for number in setting.rounds():
            _settle(ready)
            seconds, tasks = _by_airflow(api, sizes, number, quiet)
            _require(ready, read_report(ready.warehouse_url, sizes.load_id).rows)
            _settle(ready)
            report, alone_seconds = timed_run(_command(ready), _variables())
            _require(ready, report["rows"])
            runs.add(
                dag_run=seconds, command=alone_seconds, more=seconds - alone_seconds, tasks=_spans(tasks)
            )
    more = runs.median("dag_run") - runs.median("command")
    return Measured(
        [
            Line(f"a run of the DAG, {setting.rows:,} rows, beyond `factload run`", more, "s", _GOAL_SECONDS),
            Line("- the DAG run", runs.median("dag_run"), "s"),
            Line("- `factload run --reload`", runs.median("command"), "s"),
        ],
        runs.taken,
    )


def _by_airflow(
    api: AirflowApi, sizes: Sizes, number: int, console: Console
) -> tuple[float, list[TaskInstance]]:
    run_id = f"benchmark__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}__{number}"
    api.trigger(DAG_ID, run_id, {"period": sizes.period.isoformat(), "reload": True})
    with Steps(console) as steps:
        follow(api, DAG_ID, run_id, steps)
    run = api.call("GET", f"/api/v2/dags/{DAG_ID}/dagRuns/{run_id}")
    began, ended = (datetime.fromisoformat(run[name]) for name in ("start_date", "end_date"))
    return (ended - began).total_seconds(), api.task_instances(DAG_ID, run_id)


def _spans(tasks: list[TaskInstance]) -> dict[str, dict[str, Any]]:
    """When each task began and ended, for who wants to know where the time went."""
    return {
        f"{task.task_id} {task.map_index}": {
            name: value.isoformat() for name, value in asdict(task).items() if isinstance(value, datetime)
        }
        for task in tasks
    }


def _command(ready: Ready) -> list[str]:
    return run_command(FEED, connection_uri(ready.warehouse_url), "--reload")


def _variables() -> Mapping[str, str]:
    """The command works in this project, as the demo's Airflow does."""
    other = {name: "" for name in os.environ if name.startswith("FACTLOAD_")}
    return other | {"FACTLOAD_HOME": str(PROJECT), "FACTLOAD_STAGING": str(FOLDER / "staging")}


def _settle(ready: Ready) -> None:
    """What the load before left to be cleaned, in nobody's time: rows that were replaced, pages to be written."""
    engine = create_engine(ready.warehouse_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if connection.dialect.has_table(connection, fact_sales.name):
            connection.execute(text(f"VACUUM (ANALYZE) {fact_sales.name}"))
        connection.execute(text("CHECKPOINT"))


def _require(ready: Ready, rows: Mapping[str, int]) -> None:
    expected = ready.expected
    wanted = {"source": expected.source, "blank": expected.blank, "rejected": expected.rejected}
    wanted |= {"staged": expected.staged, "published": expected.staged}
    if rows != wanted:
        raise WrongResult(f"the load came to {dict(rows)}, expected {wanted}")
