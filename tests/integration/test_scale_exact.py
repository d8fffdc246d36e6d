"""The judge of the large loads sees a single row that is not as it was drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks.contestants import LOAD
from benchmarks.data import Part
from benchmarks.scale.exact import Compared, compare, draw
from benchmarks.tables import PARTITIONED
from factload_demo.sample import make_dimension

MEMBERS, ROWS = 50, 300
PARTS = [Part(Path(f"{number}.xlsx"), ROWS, seed=number) for number in range(3)]
FILL = """
INSERT INTO fact_sales (dimension_id, metric, load_id)
SELECT primary_synthetic_key, metric, :load FROM drawn JOIN dim_product USING (business_key) WHERE part < 2
"""


@pytest.fixture
def filled(database: str) -> Iterator[Connection]:
    """A fact table with the rows of the first two parts, and three parts drawn."""
    make_dimension(database, MEMBERS)
    draw(database, PARTS, MEMBERS)
    with create_engine(database, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        PARTITIONED.make(connection, partition=True)
        connection.execute(text("CREATE TABLE others PARTITION OF fact_sales DEFAULT"))
        connection.execute(text(FILL), {"load": LOAD})
        yield connection


def test_the_rows_that_were_drawn_are_exact(filled: Connection, database: str) -> None:
    found = compare(database, 2)
    assert found.equal
    assert (found.rows, found.missing, found.keys) == (2 * ROWS, 0, MEMBERS)
    assert not compare(database, 3).equal
    assert not compare(database, 1).equal


@pytest.mark.parametrize(
    "change, missing",
    [
        ("UPDATE fact_sales SET metric = metric + 0.01 WHERE id = 7", 1),
        ("UPDATE fact_sales f SET metric = o.metric FROM fact_sales o WHERE f.id + o.id = 15 AND f.id IN (7, 8)", 2),
        ("DELETE FROM fact_sales WHERE id = 7", 1),
        ("INSERT INTO fact_sales (dimension_id, metric, load_id) SELECT dimension_id, metric, load_id FROM fact_sales "
         "WHERE id = 7", 0),
        ("UPDATE fact_sales SET load_id = 'other' WHERE id = 7", 0),
    ],
    ids=["another metric", "metrics that changed places", "a row less", "a row twice", "another load"],
)  # fmt: skip
def test_one_row_that_is_otherwise_is_seen(
    filled: Connection, database: str, change: str, missing: int
) -> None:
    filled.execute(text(change))
    found: Compared = compare(database, 2)
    assert not found.equal
    assert found.missing == missing
