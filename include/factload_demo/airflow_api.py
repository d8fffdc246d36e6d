"""What the demo asks of Airflow's REST interface: start a load, watch its tasks, read the end of a log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from factload_demo.airflow_site import Site
from factload_demo.errors import ApiError

UNFINISHED = ("queued", "running")
_PAGE = 100
_SECONDS_TO_ANSWER = 30
# A busy machine's web server may be slow to answer for minutes. Asking again changes nothing: GET reads, and a login
# that was answered too late is another login. Whatever else is sent is sent once.
_AGAIN: dict[str, Any] = {
    "total": 8,
    "backoff_factor": 0.5,
    "backoff_max": 10,
    "status_forcelist": (502, 503, 504),
    "raise_on_status": False,
}


@dataclass(frozen=True)
class TaskInstance:
    """One task of a run, or one of the copies that it was mapped to. Times are aware, or None."""

    id: str
    task_id: str
    map_index: int
    label: str
    state: str
    try_number: int
    start: datetime | None
    end: datetime | None


class AirflowApi:
    """A logged-in session with one site; ``token`` is what its cookie would hold."""

    def __init__(self, site: Site) -> None:
        self.url = site.url
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between this machine and itself
        self._session.mount("http://", HTTPAdapter(max_retries=Retry(allowed_methods=["GET"], **_AGAIN)))
        tried_again = HTTPAdapter(max_retries=Retry(allowed_methods=None, **_AGAIN))
        self._session.mount(f"{self.url}/auth/token", tried_again)
        login = {"username": site.user, "password": site.password}
        self.token: str = self.call("POST", "/auth/token", json=login)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {self.token}"

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
        """Start a run that has no logical date, as a press on the button in the page does."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)

    def run_state(self, dag_id: str, run_id: str) -> str:
        """`queued`, `running`, `success` or `failed`."""
        return str(self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def unfinished_runs(self, dag_id: str) -> list[str]:
        """The ids of the runs that have not ended."""
        found = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns", params={"state": list(UNFINISHED)})
        return [str(run["dag_run_id"]) for run in found["dag_runs"]]

    def give_up(self, dag_id: str, run_id: str) -> None:
        """Mark a run failed, with all its tasks that have not ended."""
        self.call("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", json={"state": "failed"})

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """All task instances of a run, however many."""
        found: list[TaskInstance] = []
        while True:
            page = self.call(
                "GET",
                f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances",
                params={"limit": _PAGE, "offset": len(found), "order_by": "id"},
            )
            found += [_task_instance(values) for values in page["task_instances"]]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found

    def log(self, dag_id: str, run_id: str, instance: TaskInstance) -> list[str]:
        """The lines that a task instance logged in its latest try."""
        path = (
            f"{dag_id}/dagRuns/{run_id}/taskInstances/{instance.task_id}/logs/{max(instance.try_number, 1)}"
        )
        found = self.call("GET", f"/api/v2/dags/{path}", params={"map_index": instance.map_index})
        return [_log_line(entry) for entry in found["content"]]

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Any request; returns the decoded answer. Raises ApiError unless it succeeds.

        What only reads is asked again for some minutes while the server is slow.
        """
        try:
            answer = self._session.request(method, self.url + path, timeout=_SECONDS_TO_ANSWER, **options)
        except requests.RequestException as error:
            raise ApiError(
                f"The web server does not answer {method} {path}: {error}\n"
                "The machine may be too busy for it. Run the same command again: it goes on from what is there."
            ) from error
        if not answer.ok:
            raise ApiError(f"{method} {path} was refused with status {answer.status_code}: {answer.text}")
        return answer.json()


def _task_instance(values: dict[str, Any]) -> TaskInstance:
    return TaskInstance(
        id=values["id"],
        task_id=values["task_id"],
        map_index=values["map_index"],
        label=values.get("rendered_map_index") or "",
        state=values["state"] or "none",
        try_number=values["try_number"],
        start=_time(values["start_date"]),
        end=_time(values["end_date"]),
    )


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _log_line(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    details = "".join(
        f"\n  {error.get('exc_type')}: {error.get('exc_value')}" for error in entry.get("error_detail") or ()
    )
    return f"{entry.get('level', '')}: {entry.get('event', '')}{details}".removeprefix(": ")
