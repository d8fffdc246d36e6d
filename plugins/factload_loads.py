"""The Loads page of factload in Airflow's web server, and the pools and deadlines of its feeds in the scheduler."""

from __future__ import annotations

from factload.airflow.loads_page.plugin import FactloadPlugin
from factload.airflow.scheduler import FactloadScheduler

__all__ = ["FactloadPlugin", "FactloadScheduler"]
