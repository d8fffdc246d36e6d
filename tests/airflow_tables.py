"""Databases with Airflow's tables in them: made once, and copied. Making them takes Airflow six seconds of a processor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from factload_demo import airflow_site
from factload_demo.airflow_place import Place
from factload_demo.postgres import Server
from factload_demo.setup import PROJECT

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
_TEMPLATE = "airflow_tables"


def with_airflow_tables(server: Server, folder: Path) -> Callable[[str], str]:
    """Makes a database of this name with the tables in it, and returns its URL.

    It has those of FAB's users, too: the tests of the Loads page need them, others leave them alone.
    """
    template = Place(
        project=PROJECT,
        folder=folder,
        metadata_url=server.create_database(_TEMPLATE),
        variables={"AIRFLOW__CORE__AUTH_MANAGER": FAB},
    )
    airflow_site.migrate(template)
    return partial(server.create_database, template=_TEMPLATE)
