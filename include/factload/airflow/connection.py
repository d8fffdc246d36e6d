"""An Airflow connection: as a database URL, as a store's credentials."""

from __future__ import annotations

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy.engine import URL

from factload.staging.connections import StoreConnection

# The parts of a connection's extra that libpq understands; the rest is meant for Airflow's own hooks.
_LIBPQ = {"host", "options", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "target_session_attrs"}


def database_url(connection_id: str) -> str:
    """The URL of the connection called ``connection_id``; one that is a URL already stays as it is.

    Raises ``AirflowNotFoundException`` when Airflow has no such connection.
    """
    if "://" in connection_id:
        return connection_id
    found = Connection.get(connection_id)
    extra = {key: str(value) for key, value in found.extra_dejson.items() if key in _LIBPQ}
    return URL.create(
        "postgresql",
        username=found.login or None,
        password=found.password or None,
        host=found.host or None,
        port=found.port,
        database=found.schema or None,
        query=extra,
    ).render_as_string(hide_password=False)


def store_connection(connection_id: str) -> StoreConnection | None:
    """The connection of this name as a store's credentials; None where Airflow has none."""
    try:
        found = Connection.get(connection_id)
    except AirflowNotFoundException:
        return None
    return StoreConnection(found.login or "", found.password or "", found.host or "", found.extra_dejson)
