"""What a published load was made of and where it went, told to whoever collects lineage: OpenLineage, for one.

Assets say it when the DAG is read, by names alone (``assets``). Which file it was and which server, a task knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow.sdk.lineage import NoOpCollector, get_hook_lineage_collector
from sqlalchemy import URL, inspect, make_url

from factload.feed.model import Feed
from factload.load import Load
from factload.postgres.database import engine_for
from factload.postgres.tables import split_name
from factload.settings import is_url, settings

_POSTGRESQL_PORT = 5432


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a load reads and writes, in the URIs of Airflow's own providers."""

    inputs: tuple[str, ...]
    output: str


def tell_lineage(task: Any, load: Load, feed: Feed, url: str) -> Lineage | None:
    """Tell workbooks and dimensions → fact table, and return what was told. Nothing if nobody collects it."""
    collector = get_hook_lineage_collector()
    if isinstance(collector, NoOpCollector):
        return None
    lineage = _lineage_of(load, feed, url)
    for uri in lineage.inputs:
        collector.add_input_asset(task, uri=uri)
    collector.add_output_asset(task, uri=lineage.output)
    return lineage


def _lineage_of(load: Load, feed: Feed, url: str) -> Lineage:
    server = make_url(url)
    with engine_for(url).connect() as connection:
        default_schema = inspect(connection).default_schema_name or "public"
    dimensions = sorted({feed.dimensions[name].table for name in feed.maps})
    return Lineage(
        inputs=(
            *(_file(source.path) for source in load.sources),
            *(_table(server, table, default_schema) for table in dimensions),
        ),
        output=_table(server, feed.fact.table, default_schema),
    )


def _file(path: str) -> str:
    return path if is_url(path) else (settings().home / path).absolute().as_uri()


def _table(server: URL, table: str, default_schema: str) -> str:
    """``postgres://host:port/database/schema/table``, without user and password; a socket is this machine."""
    schema, name = split_name(table)
    host = "localhost" if server.host is None or server.host.startswith("/") else server.host
    at = f"{host}:{server.port or _POSTGRESQL_PORT}"
    return f"postgres://{at}/{server.database}/{schema or default_schema}/{name}"
