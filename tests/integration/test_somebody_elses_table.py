"""The fact table belongs to somebody else: whatever it is like, it works, and all that is on it survives."""

from __future__ import annotations

from typing import Any

import pytest

from factload.errors import FeedError, RowsRefused
from tests.integration.place import Place

LOAD = "sales@2026-11-05"
ROWS = [("A1", 1.5), ("B2", 2)]


def feed(place: Place, table: str, **columns: str) -> Any:
    """The feed with this table, and columns by other names."""
    names = {"dimension_id": "dimension_id", "metric": "metric", "load_id": "load_id"} | columns
    return place.feed(
        {
            "fact.table": table,
            "fact.columns": {
                names["dimension_id"]: {"dimension": "product"},
                names["metric"]: {"column": "metric", "type": "numeric(18,4)", "required": True},
            },
            "fact.load_column": names["load_id"],
        }
    )


def twice(place: Place, of: Any) -> None:
    """Load, then load a corrected workbook."""
    place.workbook([*ROWS, ("A1", 7)])
    place.load(of)
    place.workbook(ROWS)
    place.load(of)


def sql_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize(
    ("schema", "table"),
    [
        ("Sales", "Fact Sales"),
        ("order", "select"),
        ("a.b", "c.d"),
        ('say "x"', "100%s :x"),
        ("q", "it's; DROP TABLE x --"),
    ],
)
def test_schemas_and_tables_of_any_name(place: Place, schema: str, table: str) -> None:
    metric = 'Metric %(x)s. "y" :z'
    whole = f"{sql_name(schema)}.{sql_name(table)}"
    columns = f'"user" bigint, {sql_name(metric)} numeric(18,4), "group" text'
    with place.engine.begin() as connection:
        for statement in (f"CREATE SCHEMA {sql_name(schema)}", f"CREATE TABLE {whole} ({columns})"):
            connection.exec_driver_sql(statement.replace("%", "%%"))
    of = feed(place, whole, dimension_id="user", metric=metric, load_id="group")
    twice(place, of)
    with place.engine.begin() as connection:
        found = connection.exec_driver_sql(f"SELECT * FROM {whole} ORDER BY 1".replace("%", "%%")).all()
    assert [(row[0], float(row[1]), row[2]) for row in found] == [(1, 1.5, LOAD), (2, 2.0, LOAD)]


def test_names_need_no_quotes_unless_they_hold_a_dot(place: Place) -> None:
    place.execute('CREATE SCHEMA "Order"')
    place.execute('ALTER TABLE fact_sales SET SCHEMA "Order"')
    place.execute('ALTER TABLE "Order".fact_sales RENAME TO "Fact Sales"')
    twice(place, feed(place, "Order.Fact Sales"))
    assert place.rows('SELECT count(*) FROM "Order"."Fact Sales"') == [(2,)]


@pytest.mark.parametrize("way", ["core", "copy"])
def test_odd_names_by_both_ways_of_inserting(place: Place, way: str) -> None:
    with place.engine.begin() as connection:
        connection.exec_driver_sql('ALTER TABLE fact_sales RENAME metric TO "100%% of ""it"""')
    of = feed(place, "fact_sales", metric='100% of "it"')
    twice(place, of.model_copy(update={"insert": way}))
    assert place.rows("SELECT count(*), count(load_id) FROM fact_sales") == [(2, 2)]


def test_what_stands_on_the_table_survives_and_works(place: Place) -> None:
    place.execute(
        """
        CREATE TABLE seen (n int, load_id text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO seen SELECT count(*), min(load_id) FROM new_rows; RETURN NULL; END';
        CREATE TRIGGER note AFTER INSERT ON fact_sales REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION note();
        ALTER TABLE fact_sales ADD doubled numeric GENERATED ALWAYS AS (metric * 2) STORED;
        ALTER TABLE fact_sales ADD loaded_at timestamptz NOT NULL DEFAULT now();
        CREATE VIEW totals AS SELECT load_id, sum(doubled) AS doubled FROM fact_sales GROUP BY 1;
        CREATE INDEX by_metric ON fact_sales (metric);
        """
    )
    before = place.rows("SELECT 'fact_sales'::regclass::oid::int")
    twice(place, place.feed())
    assert place.rows("SELECT load_id, doubled::float FROM totals") == [(LOAD, 7.0)]
    assert place.rows("SELECT * FROM seen ORDER BY n DESC") == [(3, LOAD), (2, LOAD)]
    assert place.rows("SELECT 'fact_sales'::regclass::oid::int") == before
    assert place.rows("SELECT count(*) FROM pg_indexes WHERE indexname = 'by_metric'") == [(1,)]
    assert place.rows(
        "SELECT count(*) FROM pg_constraint WHERE conrelid = 'fact_sales'::regclass AND contype = 'f'"
    ) == [(1,)]


def test_rows_that_others_refer_to_can_t_be_replaced_and_nothing_changes(place: Place) -> None:
    place.execute("CREATE TABLE notes (fact bigint REFERENCES fact_sales)")
    place.workbook(ROWS)
    place.load()
    place.execute("INSERT INTO notes SELECT min(id) FROM fact_sales")
    before = place.facts()
    place.workbook([("A1", 9)])
    with pytest.raises(RowsRefused, match='violates foreign key constraint "notes_fact_fkey"'):
        place.load()
    assert place.facts() == before


def test_declarative_partitions(place: Place) -> None:
    place.execute(
        """
        CREATE TABLE by_key (dimension_id bigint NOT NULL REFERENCES dim_product, metric numeric(18,4), load_id text)
            PARTITION BY LIST (dimension_id);
        CREATE TABLE by_key_1 PARTITION OF by_key FOR VALUES IN (1);
        CREATE TABLE by_key_rest PARTITION OF by_key DEFAULT;
        """
    )
    twice(place, feed(place, "by_key"))
    assert place.rows("SELECT metric::float, load_id FROM by_key_1") == [(1.5, LOAD)]
    assert place.rows("SELECT metric::float, load_id FROM by_key_rest") == [(2.0, LOAD)]


def test_a_row_that_no_partition_takes_is_an_error_and_nothing_changes(place: Place) -> None:
    place.execute(
        "CREATE TABLE by_key (dimension_id bigint, metric numeric(18,4), load_id text) PARTITION BY LIST (dimension_id)"
    )
    place.execute("CREATE TABLE by_key_1 PARTITION OF by_key FOR VALUES IN (1)")
    place.workbook(ROWS)
    with pytest.raises(RowsRefused, match='no partition of relation "by_key" found'):
        place.load(feed(place, "by_key"))
    assert place.rows("SELECT count(*) FROM by_key") == [(0,)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "ALTER TABLE fact_sales DROP metric, ADD metric numeric(18,4) GENERATED ALWAYS AS (id) STORED",
            "is a generated column",
        ),
        (
            "ALTER TABLE fact_sales ADD shop int NOT NULL",
            "column shop of fact_sales is NOT NULL, has no default",
        ),
    ],
)
def test_a_table_that_can_t_take_the_rows_is_refused_before_anything_is_read(
    place: Place, change: str, said: str
) -> None:
    place.execute(change)
    place.workbook(ROWS)
    with pytest.raises(FeedError, match=said):
        place.load()


def test_grants_survive_and_are_enough(place: Place) -> None:
    place.execute("CREATE ROLE reader")
    place.execute("CREATE ROLE loader LOGIN")
    try:
        place.execute("GRANT SELECT ON fact_sales TO reader")
        place.execute(f"GRANT CREATE ON DATABASE {place.engine.url.database} TO loader")
        place.execute("GRANT SELECT, INSERT, DELETE ON fact_sales TO loader")
        place.execute("GRANT SELECT ON dim_product TO loader")
        mine = Place(place.home, place.engine.url.set(username="loader").render_as_string(), place.engine)
        place.workbook(ROWS)
        mine.load()
        assert [row[0] for row in place.facts()] == [1, 2]
        assert place.rows("SELECT has_table_privilege('reader', 'fact_sales', 'SELECT')") == [(True,)]
        place.execute("REVOKE DELETE ON fact_sales FROM loader")
        with pytest.raises(FeedError, match=r"a right is missing.*Grant it"):
            mine.load(reload=True)
        assert [row[0] for row in place.facts()] == [1, 2]
    finally:
        place.execute("DROP OWNED BY loader, reader CASCADE")
        place.execute("DROP ROLE loader, reader")
