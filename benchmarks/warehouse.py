"""The database that all load into: one server of this run, the dimension made once, a fresh fact table each time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import psutil
from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import DropSchema

from benchmarks.tables import BARE, FactTable
from factload_demo import postgres
from factload_demo.sample import MEMBERS, dim_product, fact_sales, make_dimension

# What the peers and we leave in a database beside the fact rows.
_SCHEMAS = ("factload", "factload_staging", "public_staging")
_TABLES = ("_dlt_loads", "_dlt_version", "_dlt_pipeline_state")
_SECONDS_TO_END = 60.0  # of the backends of a client that is gone


@dataclass(frozen=True)
class Warehouse:
    """`url` is libpq's: postgresql://..."""

    url: str
    server: postgres.Server = field(repr=False)

    @property
    def sqlalchemy_url(self) -> str:
        """The same, with the driver named."""
        return self.url.replace("postgresql:", "postgresql+psycopg2:", 1)

    def renew(self, table: FactTable = BARE, *, partition: bool = True) -> None:
        """An empty fact table, nothing else of an earlier run, and no checkpoint due to that run."""
        with self.connected() as connection:
            present = inspect(connection)
            for schema in set(_SCHEMAS) & set(present.get_schema_names()):
                connection.execute(DropSchema(schema, cascade=True))
            for name in set(_TABLES) & set(present.get_table_names()):
                connection.execute(text(f"DROP TABLE {name}"))
            table.make(connection, partition=partition)
            connection.execute(text("CHECKPOINT"))
        self.wait_until_left()

    def facts(self) -> tuple[int, Decimal, int]:
        """How many fact rows there are, the exact sum of their metrics, and that of their dimension ids."""
        with self.connected() as connection:
            sums = func.sum(fact_sales.c.metric), func.sum(fact_sales.c.dimension_id)
            row = connection.execute(select(func.count(), *sums)).one()
        return row[0], Decimal(row[1] or 0), int(row[2] or 0)

    def version(self) -> str:
        """The server's own."""
        with self.connected() as connection:
            return str(connection.scalar(text("SHOW server_version")))

    def cpu_seconds(self) -> float:
        """Processor time of the server so far: of its processes, and of those that have ended."""
        self.wait_until_left()
        return server_cpu_seconds(psutil.Process(self.server.pid))

    def wait_until_left(self) -> None:
        """Until the backends of all clients have ended: they finish what they were told even if nobody listens."""
        deadline = time.monotonic() + _SECONDS_TO_END
        while any(map(_serves_a_client, psutil.Process(self.server.pid).children())):
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"Somebody is connected to the benchmark's server {self.server.socket_dir}."
                )
            time.sleep(0.01)

    def database(self, name: str, members: int) -> Warehouse:
        """Another database of this server, with a dimension of so many members."""
        made = self.empty_database(name)
        make_dimension(made.sqlalchemy_url, members)
        made.settle()
        return made

    def empty_database(self, name: str) -> Warehouse:
        """Another database of this server, with nothing in it."""
        return Warehouse(_libpq(self.server.create_database(name)), self.server)

    def has_dimension(self) -> bool:
        """Whether the dimension was made in it."""
        with self.connected() as connection:
            return inspect(connection).has_table(dim_product.name)

    def settle(self) -> None:
        """No vacuum of the fresh dimension in the middle of somebody's run."""
        with self.connected() as connection:
            connection.execute(text(f"VACUUM (ANALYZE) {dim_product.name}"))

    def connected(self) -> Connection:
        """A connection of its own, on which each statement is a transaction."""
        engine = create_engine(self.sqlalchemy_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        return engine.connect()


def server_cpu_seconds(postmaster: psutil.Process) -> float:
    """Of a server's processes, and of those that have ended. Raises ``psutil.NoSuchProcess`` if the server has."""
    while True:
        try:
            children = [child.cpu_times() for child in postmaster.children()]
        except psutil.NoSuchProcess:  # a worker of autovacuum has ended meanwhile
            if postmaster.is_running():
                continue
            raise
        own = postmaster.cpu_times()
        ended = own.children_user + own.children_system
        return float(sum(times.user + times.system for times in (*children, own)) + ended)


def _serves_a_client(process: psutil.Process) -> bool:
    """A backend, or a worker that helps one; PostgreSQL writes into its title whom it serves."""
    try:
        title = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "[local]" in title or "parallel worker" in title


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg2:", "postgresql:", 1)


@contextmanager
def warehouse(project: Path) -> Iterator[Warehouse]:
    """A durable server with PostgreSQL's defaults, as the demo's, in a data folder of its own; removed afterwards."""
    data_dir = postgres.data_folder(project).with_name("benchmark")
    if postgres.find(data_dir) is not None:
        raise RuntimeError(f"Another benchmark runs on {data_dir}: wait for its end.")
    shutil.rmtree(data_dir, ignore_errors=True)  # of one that was killed
    try:
        with postgres.running(data_dir) as server:
            made = Warehouse(_libpq(server.url()), server)
            yield made.database("benchmark", MEMBERS)
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)
