"""What Airflow loads of factload by itself (entry point ``airflow.plugins``): the Loads page in its web server, and in
its scheduler the pools and deadlines of the feeds.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow.plugins_manager import AirflowPlugin
from starlette.concurrency import run_in_threadpool

from factload.airflow import scheduler
from factload.airflow.deadline import PeriodDeadline
from factload.airflow.names import LOAD_TAB

PREFIX = "/factload"


async def loads_page(scope: Any, receive: Any, send: Any) -> None:
    """The page as an ASGI application, imported by its first request.

    Airflow imports plugins into every process, tasks among them; only its web server has a use for this one. The
    import takes a thread of its own, so that the server's other requests go on.
    """
    module = await run_in_threadpool(import_module, "factload.airflow.loads_page.app")
    await module.app(scope, receive, send)


class FactloadPlugin(AirflowPlugin):
    """The Loads page, in the navigation and as a tab of each DAG and each run; what the scheduler does for feeds."""

    name = "factload"
    fastapi_apps = [{"app": loads_page, "url_prefix": PREFIX, "name": "factload: the Loads page"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Loads",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "nav_top_level": True,
            "icon": f"{PREFIX}/static/icon.svg",
            "icon_dark_mode": f"{PREFIX}/static/icon-dark.svg",
            "url_route": "loads",
        },
        {
            "name": "Loads",
            "href": PREFIX + "/dags/{DAG_ID}",
            "destination": "dag",
            "url_route": "feed-loads",
        },
        {
            "name": "Load",
            "href": PREFIX + "/dags/{DAG_ID}/runs/{RUN_ID}",
            "destination": "dag_run",
            "url_route": LOAD_TAB,
        },
    ]
    listeners = [scheduler]  # noqa: RUF012
    deadline_references = [PeriodDeadline]  # noqa: RUF012
