"""The database that all load into: one server of this run, the dimension made once, a fresh fact table each time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import DropSchema

from factload_demo import postgres
from factload_demo.sample import dim_product, fact_sales, make_dimension

# What the peers and we leave in a database beside the fact rows.
_SCHEMAS = ("factload", "factload_staging", "public_staging")
_TABLES = ("_dlt_loads", "_dlt_version", "_dlt_pipeline_state")


@dataclass(frozen=True)
class Warehouse:
    """`url` is libpq's: postgresql://..."""

    url: str

    @property
    def sqlalchemy_url(self) -> str:
        """The same, with the driver named."""
        return self.url.replace("postgresql:", "postgresql+psycopg2:", 1)

    def renew(self) -> None:
        """An empty fact table, nothing else of an earlier run, and no checkpoint due to that run."""
        engine = create_engine(self.sqlalchemy_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            present = inspect(connection)
            for schema in set(_SCHEMAS) & set(present.get_schema_names()):
                connection.execute(DropSchema(schema, cascade=True))
            for table in set(_TABLES) & set(present.get_table_names()):
                connection.execute(text(f"DROP TABLE {table}"))
            fact_sales.drop(connection, checkfirst=True)
            fact_sales.create(connection)
            connection.execute(text("CHECKPOINT"))

    def facts(self) -> tuple[int, Decimal, int]:
        """How many fact rows there are, the exact sum of their metrics, and that of their dimension ids."""
        engine = create_engine(self.sqlalchemy_url, poolclass=NullPool)
        with engine.connect() as connection:
            sums = func.sum(fact_sales.c.metric), func.sum(fact_sales.c.dimension_id)
            row = connection.execute(select(func.count(), *sums)).one()
        return row[0], Decimal(row[1] or 0), int(row[2] or 0)


@contextmanager
def warehouse(project: Path) -> Iterator[Warehouse]:
    """A durable server with PostgreSQL's defaults, as the demo's, in a data folder of its own; removed afterwards."""
    data_dir = postgres.data_folder(project).with_name("benchmark")
    if postgres.find(data_dir) is not None:
        raise RuntimeError(f"Another benchmark runs on {data_dir}: wait for its end.")
    shutil.rmtree(data_dir, ignore_errors=True)  # of one that was killed
    try:
        with postgres.running(data_dir) as server:
            url = server.create_database("benchmark").replace("postgresql+psycopg2:", "postgresql:", 1)
            made = Warehouse(url)
            make_dimension(made.sqlalchemy_url)
            _settle(made)
            yield made
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)


def _settle(made: Warehouse) -> None:
    """No vacuum of the fresh dimension in the middle of somebody's run."""
    engine = create_engine(made.sqlalchemy_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"VACUUM (ANALYZE) {dim_product.name}"))
