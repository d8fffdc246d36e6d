"""The fact tables of the benchmark are what its page says of them."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks.contestants import LOAD
from benchmarks.tables import BARE, FOREIGN_KEY, PARTITIONED, TABLES, FactTable
from factload_demo.sample import make_dimension

_CONSTRAINTS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'fact_sales'::regclass AND contype IN ('p', 'f') ORDER BY contype DESC
"""
_PARTITIONS = """
SELECT pg_get_expr(relpartbound, oid) FROM pg_class
WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'fact_sales'::regclass)
"""
_KEY = "FOREIGN KEY (dimension_id) REFERENCES dim_product(primary_synthetic_key)"
_ROW = "INSERT INTO fact_sales (dimension_id, metric, load_id) VALUES (:member, 1.5, :load)"


@pytest.mark.parametrize(
    "table, constraints, indexes",
    [
        (BARE, ["PRIMARY KEY (id)"], 2),
        (FOREIGN_KEY, ["PRIMARY KEY (id)", _KEY], 2),
        (PARTITIONED, ["PRIMARY KEY (load_id, id)", _KEY], 1),
    ],
    ids=lambda value: value.name if isinstance(value, FactTable) else "",
)
def test_a_fact_table_has_its_keys(
    database: str, table: FactTable, constraints: list[str], indexes: int
) -> None:
    make_dimension(database, 10)
    with create_engine(database, poolclass=NullPool).begin() as connection:
        table.make(connection, partition=True)
        assert list(connection.scalars(text(_CONSTRAINTS))) == constraints
        counted = text("SELECT count(*) FROM pg_indexes WHERE tablename = 'fact_sales'")
        assert connection.scalar(counted) == indexes
        bounds = list(connection.scalars(text(_PARTITIONS)))
        assert bounds == ([f"FOR VALUES IN ('{LOAD}')"] if table.partitioned else [])
        connection.execute(text(_ROW), {"member": 1, "load": LOAD})


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_made_anew_is_empty_whatever_stood_there(database: str, table: FactTable) -> None:
    make_dimension(database, 10)
    with create_engine(database, poolclass=NullPool).begin() as connection:
        for before in TABLES:
            before.make(connection, partition=True)
            connection.execute(text(_ROW), {"member": 1, "load": LOAD})
            table.make(connection, partition=not table.partitioned)
            assert connection.scalar(text("SELECT count(*) FROM fact_sales")) == 0
        assert list(connection.scalars(text(_PARTITIONS))) == []
