"""Where the engine meets Airflow. A team's DAG file has two lines: ``from factload.airflow import feed_dags`` and
``globals().update(feed_dags())``.

In the order to read them: ``dags`` wires the steps, ``tasks`` and ``open_load`` carry them out, ``plugin`` is what
Airflow itself loads. The engine knows nothing of Airflow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from factload.airflow.needed import require_airflow

if TYPE_CHECKING:
    from factload.airflow.dags import feed_dags, load_dag
    from factload.airflow.feeds import check_feeds
    from factload.airflow.verify_dag import verify_dags

__all__ = ["check_feeds", "feed_dags", "load_dag", "verify_dags"]

_HOMES = {"check_feeds": "feeds", "feed_dags": "dags", "load_dag": "dags", "verify_dags": "verify_dag"}

require_airflow()


def __getattr__(name: str) -> Any:
    # Imported when asked for: tasks and the web server have no use for what builds DAGs.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
