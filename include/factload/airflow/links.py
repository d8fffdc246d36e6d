"""The link from a task to its load's page."""

from __future__ import annotations

from typing import Any

from airflow.configuration import conf
from airflow.sdk import BaseOperatorLink

from factload.airflow.names import LOAD_TAB


def load_page(dag_id: str, run_id: str) -> str:
    """The address of the load that a run is for: the tab of the run, inside Airflow."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/dags/{dag_id}/runs/{run_id}/plugin/{LOAD_TAB}"


class LoadLink(BaseOperatorLink):
    """Leads to the page of the load that the task's run is for."""

    name = "Load"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The tab of the task's run; ``ti_key``: the task instance, or its key."""
        return load_page(ti_key.dag_id, ti_key.run_id)
