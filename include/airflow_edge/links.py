"""The link from a task to its load's page."""

from __future__ import annotations

from typing import Any

from airflow.configuration import conf
from airflow.sdk import BaseOperatorLink

LOAD_TAB = "load-of-run"  # the route of the page's tab of a run


class LoadLink(BaseOperatorLink):
    """Leads to the page of the load that the task's run is for."""

    name = "Load"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The tab of the task's run; ``ti_key``: the task instance, or its key."""
        base = conf.get("api", "base_url", fallback="").rstrip("/")
        return f"{base}/dags/{ti_key.dag_id}/runs/{ti_key.run_id}/plugin/{LOAD_TAB}"


def linked(result: Any) -> Any:
    """A task's result, the task now with the link."""
    result.operator.operator_extra_links = (LoadLink(),)
    return result
