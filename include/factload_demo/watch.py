"""A run of a DAG, followed to its end over the REST interface."""

from __future__ import annotations

import time
from collections import Counter

from factload_demo.airflow_api import UNFINISHED, AirflowApi, TaskInstance
from factload_demo.display import Steps
from factload_demo.errors import LoadFailed

_ENDED = ("success", "failed", "skipped", "upstream_failed", "removed")
_SECONDS_BETWEEN_LOOKS = 1.0
_LOG_LINES = 15
_TELLING = ("warning:", "error:", "critical:")


def follow(api: AirflowApi, dag_id: str, run_id: str, steps: Steps, *, seconds: float = 1_800.0) -> None:
    """Show the run's tasks until it ends; raises LoadFailed unless it ends in success within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = api.run_state(dag_id, run_id)  # before the tasks, so that an ended run shows them all ended
        instances = api.task_instances(dag_id, run_id)
        _show(instances, steps)
        if state == "success":
            return
        if state not in UNFINISHED:
            raise LoadFailed(f"{dag_id} ended: {state}.\n" + _why(api, dag_id, run_id, instances))
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    raise LoadFailed(f"{dag_id} did not end within {seconds:.0f} s.")


def _show(instances: list[TaskInstance], steps: Steps) -> None:
    for task_id in dict.fromkeys(instance.task_id for instance in sorted(instances, key=_began)):
        copies = [instance for instance in instances if instance.task_id == task_id]
        states = Counter(instance.state for instance in copies)
        ended = sum(states[state] for state in _ENDED)
        if all(state in ("none", "scheduled", "queued") for state in states):
            continue
        retries = sum(max(0, instance.try_number - 1) for instance in copies)
        counted = [f"{ended} of {len(copies)}"] if len(copies) > 1 else []
        counted += [f"{states['running']} running"] if states["running"] and len(copies) > 1 else []
        counted += [f"{retries} tried again"] if retries else []
        counted += [f"{states[state]} {state}" for state in _ENDED[1:] if states[state]]
        if ended == len(copies):
            steps.finish(task_id, ", ".join(counted))
        else:
            steps.update(task_id, ", ".join(counted), ended, len(copies) if len(copies) > 1 else None)


def _began(instance: TaskInstance) -> tuple[bool, float]:
    return (instance.start is None, instance.start.timestamp() if instance.start else 0.0)


def _why(api: AirflowApi, dag_id: str, run_id: str, instances: list[TaskInstance]) -> str:
    failed = [instance for instance in instances if instance.state == "failed"]
    parts = []
    for instance in failed[:3]:
        lines = api.log(dag_id, run_id, instance)
        telling = [line for line in lines if line.startswith(_TELLING)] or lines
        label = f" [{instance.label}]" if instance.label else ""
        parts.append("\n".join([f"The log of {instance.task_id}{label}:", *telling[-_LOG_LINES:]]))
    return "\n".join(parts)
