"""The fact tables that are loaded into, each under the name `fact_sales`, from the plainest to a star schema's own."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import Connection

from benchmarks.contestants import LOAD
from factload_demo.sample import dim_product


@dataclass(frozen=True)
class FactTable:
    """`title` and `shape` are what the documentation calls it, and says of it."""

    name: str
    title: str
    shape: str
    foreign_key: bool = False
    partitioned: bool = False

    def declared(self) -> Table:
        """The table, beside the dimension it refers to."""
        metadata = MetaData()
        product = dim_product.to_metadata(metadata)
        partition_by = "LIST (load_id)" if self.partitioned else None
        table = Table(
            "fact_sales",
            metadata,
            Column("id", BigInteger, Identity(always=True), nullable=False),
            Column("dimension_id", BigInteger, nullable=False),
            Column("metric", Numeric(18, 4), nullable=False),
            Column("load_id", Text, nullable=False),
            postgresql_partition_by=partition_by,
        )
        if self.partitioned:
            table.append_constraint(PrimaryKeyConstraint("load_id", "id"))
        else:
            table.append_constraint(PrimaryKeyConstraint("id"))
            Index("ix_fact_sales_load_id", table.c.load_id)
        if self.foreign_key:
            key = product.c.primary_synthetic_key
            table.append_constraint(ForeignKeyConstraint(["dimension_id"], [key]))
        return table

    def make(self, connection: Connection, *, partition: bool) -> None:
        """An empty table in the place of the one before; with a partition for the load, for those who make none."""
        connection.execute(text("DROP TABLE IF EXISTS fact_sales CASCADE"))
        self.declared().create(connection)
        if self.partitioned and partition:
            bound = f"FOR VALUES IN ('{LOAD}')"
            connection.execute(text(f"CREATE TABLE fact_sales_load PARTITION OF fact_sales {bound}"))


BARE = FactTable("bare", "bare table", "a primary key on its identity column, an index on the load column")
FOREIGN_KEY = FactTable(
    "foreign_key", "with a foreign key", "the same, with a foreign key to the dimension", foreign_key=True
)
PARTITIONED = FactTable(
    "partitioned",
    "partitioned, with a foreign key",
    "partitioned by list on the load column, the primary key on load column and identity column, and the foreign key",
    foreign_key=True,
    partitioned=True,
)
TABLES = (BARE, FOREIGN_KEY, PARTITIONED)
TABLES_BY_NAME = {table.name: table for table in TABLES}
