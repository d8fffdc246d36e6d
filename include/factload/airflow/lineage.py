"""What a published load was made of and where it went, told to whoever collects lineage: OpenLineage, for one.

Assets say it when the DAG is read, by names alone (``assets``). Which file it was and which server, a task knows.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk.lineage import NoOpCollector, get_hook_lineage_collector
from sqlalchemy import URL, inspect, make_url

from factload.feed.model import Feed
from factload.load import Load
from factload.postgres.database import engine_for
from factload.postgres.tables import split_name
from factload.settings import is_url, settings

_POSTGRESQL_PORT = 5432


def tell_lineage(task: Any, load: Load, feed: Feed, url: str) -> None:
    """Workbooks and dimensions → fact table, in the URIs of Airflow's own providers. Nothing if nobody collects it."""
    collector = get_hook_lineage_collector()
    if isinstance(collector, NoOpCollector):
        return
    server = make_url(url)
    with engine_for(url).connect() as connection:
        default_schema = inspect(connection).default_schema_name or "public"
    for source in load.sources:
        collector.add_input_asset(task, uri=_file(source.path))
    for table in sorted({feed.dimensions[name].table for name in feed.maps}):
        collector.add_input_asset(task, uri=_table(server, table, default_schema))
    collector.add_output_asset(task, uri=_table(server, feed.fact.table, default_schema))


def _file(path: str) -> str:
    return path if is_url(path) else (settings().home / path).absolute().as_uri()


def _table(server: URL, table: str, default_schema: str) -> str:
    """``postgres://host:port/database/schema/table``, without user and password; a socket is this machine."""
    schema, name = split_name(table)
    host = "localhost" if server.host is None or server.host.startswith("/") else server.host
    at = f"{host}:{server.port or _POSTGRESQL_PORT}"
    return f"postgres://{at}/{server.database}/{schema or default_schema}/{name}"
