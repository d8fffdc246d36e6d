"""Whether a load's rows can be found without reading the whole fact table: said beforehand, and never in the way."""

from __future__ import annotations

import pytest

from factload.fact.load_index import FEWEST_ROWS
from factload.fact.modes.registry import mode_of
from factload.fact.table import fact_table
from tests.integration.commands import check, doctor, report
from tests.integration.place import Place

ENOUGH = FEWEST_ROWS
FILL = "INSERT INTO fact_sales (dimension_id, metric, load_id) SELECT 1, 1, 'sales@2020-01-01' FROM generate_series(1, {rows});"
PLAIN = "CREATE INDEX made ON fact_sales {index};"
PARTITIONED = """
DROP TABLE fact_sales;
CREATE TABLE fact_sales (dimension_id bigint NOT NULL, metric numeric(18,4) NOT NULL, load_id text NOT NULL)
    PARTITION BY {key};
CREATE TABLE fact_old PARTITION OF fact_sales {bound};
"""
BY_DIMENSION = PARTITIONED.format(key="RANGE (dimension_id)", bound="FOR VALUES FROM (0) TO (10)")
SECOND = "CREATE TABLE fact_new PARTITION OF fact_sales FOR VALUES FROM (10) TO (20);"
SUBPARTITIONED = """
DROP TABLE fact_old;
CREATE TABLE fact_old PARTITION OF fact_sales FOR VALUES FROM (0) TO (10) PARTITION BY LIST (load_id);
CREATE TABLE fact_leaf PARTITION OF fact_old FOR VALUES IN ('sales@2020-01-01');
"""


def prepare(place: Place, statements: str, rows: int = ENOUGH) -> None:
    place.execute(statements + FILL.format(rows=rows) + "ANALYZE fact_sales;")


def advised(place: Place, feed: dict[str, object] | None = None) -> bool:
    asked = place.feed(feed)
    with place.engine.connect() as connection:
        found = mode_of(asked.fact).advice_on(connection, asked, fact_table(connection, asked))
        return [advice.about for advice in found] != []


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param("", True, id="no index but the primary key of another column"),
        pytest.param(PLAIN.format(index="(load_id)"), False, id="an index"),
        pytest.param(PLAIN.format(index="(load_id, dimension_id)"), False, id="first of several columns"),
        pytest.param(PLAIN.format(index="(dimension_id, load_id)"), True, id="second of several columns"),
        pytest.param(PLAIN.format(index="(dimension_id) INCLUDE (load_id)"), True, id="included only"),
        pytest.param(PLAIN.format(index="USING hash (load_id)"), False, id="a hash index"),
        pytest.param(PLAIN.format(index="(load_id) WHERE metric > 0"), True, id="a partial index"),
        pytest.param(PLAIN.format(index="(upper(load_id))"), True, id="an index of an expression"),
        pytest.param(PLAIN.format(index='(load_id COLLATE "C")'), True, id="an index of another collation"),
        pytest.param("CREATE UNIQUE INDEX ON fact_sales (load_id, id);", False, id="a unique index"),
        pytest.param(
            "ALTER TABLE fact_sales DROP CONSTRAINT fact_sales_pkey, ADD PRIMARY KEY (load_id, id);",
            False,
            id="a primary key",
        ),
        pytest.param(
            PLAIN.format(index="(load_id)")
            + "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'made'::regclass;",
            True,
            id="an index that is not valid",
        ),
    ],
)
def test_an_index_that_begins_with_the_load_column_finds_the_rows_of_a_load(
    place: Place, statements: str, expected: bool
) -> None:
    prepare(place, statements)
    assert advised(place) is expected


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(BY_DIMENSION, True, id="by another column"),
        pytest.param(BY_DIMENSION + "CREATE INDEX ON fact_sales (load_id);", False, id="index of the parent"),
        pytest.param(BY_DIMENSION + SECOND + "CREATE INDEX ON fact_old (load_id);", False, id="of all rows"),
        pytest.param(BY_DIMENSION + SECOND + "CREATE INDEX ON fact_new (load_id);", True, id="of no rows"),
        pytest.param(
            BY_DIMENSION + "CREATE INDEX ON ONLY fact_sales (load_id);", True, id="of the parent only"
        ),
        pytest.param(
            PARTITIONED.format(key="LIST (load_id)", bound="FOR VALUES IN ('sales@2020-01-01')"),
            False,
            id="list of the load column",
        ),
        pytest.param(
            PARTITIONED.format(key="RANGE (load_id, metric)", bound="DEFAULT"),
            False,
            id="range that begins with it",
        ),
        pytest.param(
            PARTITIONED.format(key="RANGE (metric, load_id)", bound="DEFAULT"),
            True,
            id="range that ends with it",
        ),
        pytest.param(
            PARTITIONED.format(
                key="HASH (load_id, metric)", bound="FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
            ),
            True,
            id="hash of it and another",
        ),
        pytest.param(BY_DIMENSION + SUBPARTITIONED, False, id="parts of parts"),
    ],
)
def test_a_partitioned_table_finds_them_by_its_key_or_by_an_index_of_its_partitions(
    place: Place, statements: str, expected: bool
) -> None:
    prepare(place, statements)
    assert advised(place) is expected


@pytest.mark.parametrize(("kind", "value"), [("uuid", "gen_random_uuid()"), ("bigint", "7")])
def test_an_index_of_a_load_column_without_a_collation(place: Place, kind: str, value: str) -> None:
    prepare(place, "")
    place.execute(f"ALTER TABLE fact_sales ALTER load_id TYPE {kind} USING {value}; ANALYZE fact_sales")
    assert advised(place)
    place.execute("CREATE INDEX ON fact_sales (load_id)")
    assert not advised(place)


@pytest.mark.parametrize("rows", [0, FEWEST_ROWS - 1])
def test_nothing_is_said_of_a_table_that_is_read_in_milliseconds(place: Place, rows: int) -> None:
    prepare(place, "", rows)
    assert not advised(place)


def test_nothing_is_said_of_a_table_that_was_never_analysed(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales SET (autovacuum_enabled = off);" + FILL.format(rows=ENOUGH))
    assert not advised(place)


def test_nothing_is_said_of_a_view(place: Place) -> None:
    prepare(place, "CREATE VIEW sales AS SELECT dimension_id, metric, load_id FROM fact_sales;")
    assert not advised(place, {"fact.table": "sales"})


def test_nothing_is_said_to_a_mode_that_leaves_the_rows_of_a_load(place: Place) -> None:
    prepare(place, "")
    assert not advised(place, {"fact.mode": "append_once"})


def test_check_and_doctor_warn_with_the_statement_that_helps_and_refuse_nothing(place: Place) -> None:
    prepare(
        place, 'ALTER TABLE fact_sales RENAME TO "Fact Sales"; CREATE VIEW fact_sales AS TABLE "Fact Sales";'
    )
    place.execute('ANALYZE "Fact Sales"')
    place.feed_file({"fact.table": "Fact Sales"})
    place.workbook([("A1", 1)])
    status, found = report()
    assert (status, found["state"]) == (0, "ready")
    [warning] = found["warnings"]
    assert warning.startswith(
        f"Fact Sales has no index that begins with the load column load_id, and about {ENOUGH:,} rows there"
    )
    statement = 'CREATE INDEX ON "Fact Sales" (load_id)'
    assert statement in warning
    assert "warning Fact Sales has no index" in " ".join(check()[1].split())

    status, findings = doctor()
    assert (status, findings["tables"]["state"]) == (0, "ok")
    assert findings["load column"]["state"] == "warning"
    assert findings["load column"]["remedy"] == f"`{statement}`"

    place.execute(statement)
    assert report()[1]["warnings"] == []
    assert "load column" not in doctor()[1]
