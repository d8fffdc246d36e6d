"""What factload adds to Airflow's scheduler: warehouse pools made on first use, and deadlines by the hour.

A task whose pool doesn't exist is never scheduled. So the pool of a run's tasks is made when the run starts, with
as many slots as FACTLOAD_WAREHOUSE_SLOTS says (16); one that exists is left as it is, so that its slots can be changed
on Airflow's own page.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from factload.airflow.deadline import PeriodDeadline

_SLOTS = 16
_TAG = "factload"


@hookimpl
def on_dag_run_running(dag_run: Any, msg: str) -> None:
    """Make the pools that the run's tasks name and that don't exist."""
    dag = dag_run.dag
    if dag is None or _TAG not in dag.tags:
        return
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    # A session of its own: the scheduler's may not be committed while it starts runs.
    with create_session(scoped=False) as session:
        for name in sorted({task.pool for task in dag.tasks}):
            if Pool.get_pool(name, session=session) is None:
                Pool.create_or_update_pool(
                    name,
                    slots=int(os.environ.get("FACTLOAD_WAREHOUSE_SLOTS", _SLOTS)),
                    description="Warehouse connections of factload's feeds",
                    include_deferred=False,
                    session=session,
                )


class FactloadScheduler(AirflowPlugin):
    """Registers the listener above, and the deadline that feeds may state."""

    name = "factload_scheduler"
    listeners = [sys.modules[__name__]]  # noqa: RUF012
    deadline_references = [PeriodDeadline]  # noqa: RUF012
