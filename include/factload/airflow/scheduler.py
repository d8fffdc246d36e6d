"""A listener in Airflow's scheduler: warehouse pools are made on first use.

A task whose pool doesn't exist is never scheduled. So the pool of a run's tasks is made when the run starts, with
as many slots as FACTLOAD_WAREHOUSE_SLOTS says (16); one that exists is left as it is, so that its slots can be changed
on Airflow's own page. A setting that can't be read holds no run up: the pool gets 16 slots, and its description and the
scheduler's log say why. ``check_feeds`` names it too.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.listeners import hookimpl

from factload.airflow.names import TAG
from factload.airflow.pools import slots_of_a_pool

_DESCRIPTION = "Warehouse connections of factload's feeds"

_log = logging.getLogger(__name__)


@hookimpl
def on_dag_run_running(dag_run: Any, msg: str) -> None:
    """Make the pools that the run's tasks name and that don't exist."""
    dag = dag_run.dag
    if dag is None or TAG not in dag.tags:
        return
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    # A session of its own: the scheduler's may not be committed while it starts runs.
    with create_session(scoped=False) as session:
        for name in sorted({task.pool for task in dag.tasks}):
            if Pool.get_pool(name, session=session) is None:
                slots, description = _size_of_a_pool()
                Pool.create_or_update_pool(
                    name, slots=slots, description=description, include_deferred=False, session=session
                )


def _size_of_a_pool() -> tuple[int, str]:
    """The slots of a new pool, and its description, which people see on Airflow's page of pools."""
    slots, wrong = slots_of_a_pool()
    if wrong is None:
        return slots, _DESCRIPTION
    told = f"A new pool gets {slots} slots: {wrong}"
    _log.error("%s", told)
    return slots, f"{_DESCRIPTION}. {told}"
