"""An Airflow connection: as a database URL, and how many tasks may use it at once."""

from __future__ import annotations

from airflow.sdk import Connection
from sqlalchemy.engine import URL

from factload.feed.model import Feed

# The parts of a connection's extra that libpq understands; the rest is meant for Airflow's own hooks.
_LIBPQ = {"host", "options", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "target_session_attrs"}

_POOL = "factload"


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


def pool_of(feed: Feed) -> str:
    """The pool of the feed's tasks: its own, else one for everything that uses the same connection.

    It bounds how many tasks of all feeds and backfills use one warehouse at once.
    """
    connection = feed.fact.connection
    return feed.run.pool or (f"{_POOL}_{connection}" if "://" not in connection else _POOL)
