"""Mode ``exchange``: the rows of a load come in as a partition, in the place of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from factload import steps
from factload.errors import FeedError, ReconciliationError, RowsRefused
from factload.feed.model import Feed
from factload.release import publish_held
from factload.reports.report import read_report
from tests.driver import SteppedLoad
from tests.integration.commands import check
from tests.integration.place import PERIOD, Place
from tests.workbooks import write_rows

LOAD = "sales@2026-11-05"
LATER = date(2026, 11, 6)

PARTITIONED = """
DROP TABLE fact_sales;
CREATE TABLE fact_sales (
    id bigint GENERATED ALWAYS AS IDENTITY,
    dimension_id bigint NOT NULL REFERENCES dim_product,
    metric numeric(18,4) NOT NULL CHECK (metric > -1000),
    load_id text NOT NULL DEFAULT 'by hand',
    twice numeric GENERATED ALWAYS AS (metric * 2) STORED,
    PRIMARY KEY (load_id, id)
) PARTITION BY LIST (load_id);
CREATE INDEX ON fact_sales (dimension_id);
"""


@pytest.fixture
def place(place: Place) -> Place:
    place.execute(PARTITIONED)
    return place


def exchanging(place: Place, changes: Mapping[str, Any] | None = None) -> Feed:
    return place.feed({"fact.mode": "exchange", **(changes or {})})


def partitions(place: Place, of: str = "fact_sales") -> list[tuple[Any, ...]]:
    return place.rows(
        "SELECT inhrelid::regclass::text, pg_get_expr(relpartbound, oid) FROM pg_inherits "
        "JOIN pg_class ON oid = inhrelid WHERE inhparent = CAST(:of AS regclass) ORDER BY 1",
        of=of,
    )


def staged(place: Place) -> list[tuple[Any, ...]]:
    return place.rows("SELECT relname FROM pg_class WHERE relnamespace = 'factload_staging'::regnamespace")


class TestRowsOfALoad:
    @pytest.mark.parametrize("insert", ["core", "copy"])
    def test_come_in_as_its_own_partition(self, place: Place, insert: str) -> None:
        place.workbook([("A1", 1), ("B2", 2.5), ("nobody", 3)])
        place.load(exchanging(place, {"insert": insert}))
        assert place.facts() == [(1, "1.0000", LOAD), (2, "2.5000", LOAD)]
        assert partitions(place) == [("fact_sales_sales_2026_11_05", f"FOR VALUES IN ('{LOAD}')")]
        assert place.rows("SELECT id, twice FROM fact_sales ORDER BY id") == [(1, 2), (2, 5)]
        report = read_report(place.url, LOAD)
        assert report.state == "published"
        assert report.rows == {"source": 3, "blank": 0, "rejected": 1, "staged": 2, "published": 2}
        assert report.control_totals == {"metric": {"source": "3.5000", "published": "3.5000"}}
        assert staged(place) == []

    def test_replace_those_of_the_delivery_before_and_no_others(self, place: Place) -> None:
        feed = exchanging(place)
        place.workbook([("A1", 1), ("B2", 2)])
        place.load(feed)
        place.workbook([("A1", 7)], LATER)
        place.load(feed, LATER)
        place.workbook([("00123", 3)])
        place.load(feed)
        assert place.facts() == [(1, "7.0000", "sales@2026-11-06"), (3, "3.0000", LOAD)]
        assert [name for name, _ in partitions(place)] == [
            "fact_sales_sales_2026_11_05",
            "fact_sales_sales_2026_11_06",
        ]

    def test_the_same_again_does_nothing_and_a_reload_puts_them_back(self, place: Place) -> None:
        feed = exchanging(place)
        place.workbook([("A1", 1), ("B2", 2)])
        place.load(feed)
        assert place.load(feed).already_published
        place.execute("DELETE FROM fact_sales WHERE dimension_id = 1")
        with pytest.raises(ReconciliationError, match="has 1 of its rows, and 2 were published"):
            place.load(feed)
        place.load(feed, reload=True)
        assert place.facts() == [(1, "1.0000", LOAD), (2, "2.0000", LOAD)]
        assert read_report(place.url, LOAD).warnings == [
            "2 rows had been published before, and only 1 of them were still there"
        ]

    def test_an_empty_delivery_is_an_empty_partition(self, place: Place) -> None:
        feed = exchanging(place, {"min_rows": 0})
        place.workbook([("A1", 1)])
        place.load(feed)
        place.workbook([])
        place.load(feed)
        assert place.facts() == []
        assert len(partitions(place)) == 1

    def test_what_the_parent_has_its_partition_has(self, place: Place) -> None:
        place.execute("ALTER TABLE fact_sales ADD UNIQUE NULLS NOT DISTINCT (load_id, metric) DEFERRABLE")
        place.execute(
            "CREATE INDEX odd ON fact_sales (lower(load_id) DESC) INCLUDE (metric) WHERE metric > 3"
        )
        place.execute("COMMENT ON COLUMN fact_sales.metric IS 'in euros'")
        place.execute("CREATE TABLE made_by_hand PARTITION OF fact_sales FOR VALUES IN ('hand')")
        place.workbook([("A1", 1), ("B2", 2)])
        place.load(exchanging(place))

        def described(table: str) -> list[list[tuple[Any, ...]]]:
            return [
                place.rows(query, table=table)
                for query in (
                    "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, "
                    "atthasdef, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum) FROM pg_attribute "
                    "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
                    "WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                    "SELECT inhparent::regclass::text, split_part(pg_get_indexdef(indexrelid), ' USING ', 2), "
                    "indisunique, indisprimary, indimmediate, indisvalid FROM pg_index "
                    "JOIN pg_inherits ON inhrelid = indexrelid WHERE indrelid = CAST(:table AS regclass) ORDER BY 1",
                    "SELECT contype, pg_get_constraintdef(oid), conparentid <> 0, convalidated, coninhcount "
                    "FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) ORDER BY 1, 2",
                )
            ]

        of_load, by_hand = described("fact_sales_sales_2026_11_05"), described("made_by_hand")
        assert of_load == by_hand
        assert len(of_load[1]) == 4

    def test_numbers_go_on_from_the_parents_sequence(self, place: Place) -> None:
        place.workbook([("A1", 1), ("B2", 2)])
        place.load(exchanging(place))
        place.execute(
            "INSERT INTO fact_sales (dimension_id, metric, load_id) VALUES (1, 5, 'sales@2026-11-05')"
        )
        place.execute("CREATE TABLE hand PARTITION OF fact_sales FOR VALUES IN ('by hand')")
        place.execute("INSERT INTO fact_sales (dimension_id, metric) VALUES (1, 6)")
        assert place.rows("SELECT id, load_id FROM fact_sales ORDER BY id") == [
            (1, LOAD),
            (2, LOAD),
            (3, LOAD),
            (4, "by hand"),
        ]

    def test_a_held_load_is_exchanged_on_a_person_s_word(self, place: Place) -> None:
        place.workbook([("A1", 1)])
        place.load(exchanging(place))
        feed = exchanging(place, {"max_rejects": 0})
        place.workbook([("A1", 7), ("nobody", 2)])
        with pytest.raises(RowsRefused, match="were rejected"):
            place.load(feed)
        assert place.facts() == [(1, "1.0000", LOAD)]
        publish_held(feed, PERIOD, reason="known", by="ada", database=place.url)
        assert place.facts() == [(1, "7.0000", LOAD)]
        assert staged(place) == []

    def test_of_rows_that_a_unique_index_allows_once_the_first_comes_in(self, place: Place) -> None:
        place.execute("ALTER TABLE fact_sales ADD UNIQUE (load_id, dimension_id)")
        keys = ["A1", "B2", "00123"]
        place.workbook([(keys[i % 3], i) for i in range(4_500)])  # in partitions of 2,000
        place.load(exchanging(place, {"max_rejects": "100%"}))
        assert place.facts() == [(1, "0.0000", LOAD), (2, "1.0000", LOAD), (3, "2.0000", LOAD)]
        assert read_report(place.url, LOAD).rejects == {"not_unique": 4497}

    @pytest.mark.parametrize("insert", ["core", "copy"])
    def test_values_of_every_type_come_in_as_they_were_read(self, place: Place, insert: str) -> None:
        place.execute(
            "CREATE TYPE mood AS ENUM ('good', 'it''s bad'); CREATE DOMAIN euros AS numeric(12,2) CHECK (VALUE >= 0); "
            'DROP TABLE fact_sales; CREATE TABLE fact_sales (load_id text, word text COLLATE "C", feeling mood, '
            "price euros, day date, at timestamp, yes boolean, rate double precision, many integer, padded char(5)) "
            "PARTITION BY LIST (load_id)"
        )
        columns = {
            "word": {"column": "word", "type": "text"},
            "feeling": {"column": "feeling", "type": "text", "allowed": ["good", "it's bad"]},
            "price": {"column": "price", "type": "numeric(12,2)"},
            "day": {"column": "day", "type": "date"},
            "at": {"column": "at", "type": "timestamp"},
            "yes": {"column": "yes", "type": "boolean"},
            "rate": {"column": "rate", "type": "double precision"},
            "many": {"column": "many", "type": "integer"},
            "padded": {"column": "padded", "type": "varchar(5)"},
        }
        rows = [
            (
                'Zürich, "1%"\\n',
                "it's bad",
                1.25,
                date(2026, 11, 5),
                datetime(2026, 11, 5, 1, 2, 3),
                True,
                0.1,
                7,
                "ab",
            ),
            (None, None, None, None, None, None, None, None, None),
            ("x", "good", 0, date(1999, 1, 1), datetime(1999, 1, 1), False, -2.5, -7, "abcde"),
        ]
        write_rows(place.home / "inbox/sales_2026-11-05.xlsx", [tuple(columns), *rows], "Facts")
        changes = {"dimensions": {}, "fact.columns": columns, "insert": insert}
        place.load(exchanging(place, changes))
        found = place.rows(
            "SELECT word, feeling::text, price, day, at, yes, rate, many, padded FROM fact_sales ORDER BY many"
        )
        assert found == [
            ("x", "good", Decimal("0.00"), date(1999, 1, 1), datetime(1999, 1, 1), False, -2.5, -7, "abcde"),
            (*rows[0][:2], Decimal("1.25"), *rows[0][3:8], "ab   "),
        ]


class TestWhatTheOldPartitionHas:
    """Rights, comments, storage: as it was before the exchange, so that nobody notices but by the rows."""

    @pytest.fixture(autouse=True)
    def published(self, place: Place) -> None:
        place.workbook([("A1", 1), ("B2", 2)])
        place.load(exchanging(place))
        place.workbook([("A1", 7)])

    def again(self, place: Place) -> None:
        place.load(exchanging(place))
        assert place.facts() == [(1, "7.0000", LOAD)]

    def test_rights_comments_storage_and_name_stay(self, place: Place) -> None:
        place.execute("DROP ROLE IF EXISTS exchange_reporting; DROP ROLE IF EXISTS exchange_one_column")
        place.execute("CREATE ROLE exchange_reporting; CREATE ROLE exchange_one_column")
        place.execute(
            'ALTER TABLE fact_sales_sales_2026_11_05 RENAME TO "today\'s"; CREATE SCHEMA elsewhere; '
            'ALTER TABLE "today\'s" SET SCHEMA elsewhere; SET search_path = elsewhere; '
            'GRANT SELECT ON "today\'s" TO exchange_reporting WITH GRANT OPTION; GRANT INSERT ON "today\'s" TO PUBLIC; '
            'GRANT SELECT (metric) ON "today\'s" TO exchange_one_column; '
            "COMMENT ON TABLE \"today's\" IS 'by load; 100% checked'; COMMENT ON COLUMN \"today's\".metric IS 'it''s euros'; "
            'ALTER TABLE "today\'s" SET (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off); '
            'ALTER TABLE "today\'s" REPLICA IDENTITY FULL'
        )
        described = (
            "SELECT relname, nspname, relacl::text, reloptions, relreplident, pg_get_userbyid(relowner), "
            "obj_description(c.oid, 'pg_class'), col_description(c.oid, 3), "
            "(SELECT attacl::text FROM pg_attribute WHERE attrelid = c.oid AND attname = 'metric'), "
            "(SELECT reloptions FROM pg_class t WHERE t.oid = c.reltoastrelid) "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'fact_sales'::regclass)"
        )
        before = place.rows(described)
        assert len(before) == 1
        self.again(place)
        assert place.rows(described) == before

    def test_the_owner_stays_and_is_that_of_the_fact_table_where_there_was_none(self, place: Place) -> None:
        place.execute("DROP ROLE IF EXISTS exchange_keeper")
        place.execute(
            "CREATE ROLE exchange_keeper; GRANT ALL ON SCHEMA public TO exchange_keeper; ALTER TABLE fact_sales OWNER TO exchange_keeper"
        )
        place.execute("ALTER TABLE fact_sales_sales_2026_11_05 OWNER TO exchange_keeper")
        place.execute(
            "GRANT REFERENCES ON dim_product TO exchange_keeper; GRANT SELECT ON dim_product TO exchange_keeper"
        )
        self.again(place)
        place.workbook([("B2", 1)], LATER)
        place.load(exchanging(place), LATER)
        owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE tablename LIKE 'fact_sales%'"
        assert place.rows(owners) == [("exchange_keeper",)]

    def test_a_replica_identity_by_index_stays(self, place: Place) -> None:
        place.execute(
            "ALTER TABLE fact_sales_sales_2026_11_05 REPLICA IDENTITY USING INDEX "
            + place.rows(
                "SELECT indexrelid::regclass::text FROM pg_index WHERE indisprimary AND indrelid = "
                "'fact_sales_sales_2026_11_05'::regclass"
            )[0][0]
        )
        self.again(place)
        identity = (
            "SELECT relreplident, (SELECT indisprimary FROM pg_index WHERE indrelid = c.oid AND indisreplident) "
            "FROM pg_class c WHERE oid = 'fact_sales_sales_2026_11_05'::regclass"
        )
        assert place.rows(identity) == [("i", True)]

    @pytest.mark.parametrize(
        ("made", "named"),
        [
            ("CREATE VIEW today AS SELECT * FROM fact_sales_sales_2026_11_05", "view today"),
            (
                "CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM fact_sales_sales_2026_11_05",
                "view kept",
            ),
            ("CREATE INDEX mine ON fact_sales_sales_2026_11_05 (metric)", "indexes of its own: mine"),
            (
                "ALTER TABLE fact_sales_sales_2026_11_05 ADD CONSTRAINT low CHECK (metric < 1e9)",
                "constraints of its own: low",
            ),
            (
                "ALTER TABLE fact_sales_sales_2026_11_05 ALTER metric SET DEFAULT 5",
                "defaults of its own, of metric",
            ),
            (
                "ALTER TABLE fact_sales_sales_2026_11_05 ENABLE ROW LEVEL SECURITY",
                "row-level security of its own",
            ),
            (
                "CREATE STATISTICS known (dependencies) ON dimension_id, metric FROM fact_sales_sales_2026_11_05",
                "statistics of its own: known",
            ),
            (
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER mine "
                "BEFORE INSERT ON fact_sales_sales_2026_11_05 FOR EACH ROW EXECUTE FUNCTION f()",
                "triggers of its own: mine",
            ),
            ("CREATE PUBLICATION feeds FOR TABLE fact_sales_sales_2026_11_05", "publication feeds"),
            (
                "CREATE TABLE notes (load_id text, id bigint, FOREIGN KEY (load_id, id) REFERENCES "
                "fact_sales_sales_2026_11_05)",
                "foreign keys point to, of notes",
            ),
        ],
    )
    def test_what_would_be_lost_is_refused_by_name(self, place: Place, made: str, named: str) -> None:
        place.execute(made)
        with pytest.raises(FeedError, match=named) as refused:
            place.load(exchanging(place))
        assert refused.value.code == "exchange_partition"
        assert place.facts() == [(1, "1.0000", LOAD), (2, "2.0000", LOAD)]
        assert staged(place) == []


class TestTablesThatAreNotFit:
    @pytest.mark.parametrize(
        ("change", "code", "said"),
        [
            (
                "DROP TABLE fact_sales; CREATE TABLE fact_sales (dimension_id bigint, metric numeric(18,4), load_id text)",
                "exchange_not_partitioned",
                "is not partitioned",
            ),
            (
                "DROP TABLE fact_sales; CREATE TABLE fact_sales (dimension_id bigint, metric numeric(18,4), load_id text) "
                "PARTITION BY HASH (load_id)",
                "exchange_key",
                "by HASH of load_id",
            ),
            (
                "DROP TABLE fact_sales; CREATE TABLE fact_sales (dimension_id bigint, metric numeric(18,4), load_id text) "
                "PARTITION BY RANGE (load_id)",
                "exchange_key",
                "by RANGE of load_id",
            ),
            (
                "DROP TABLE fact_sales; CREATE TABLE fact_sales (dimension_id bigint, metric numeric(18,4), load_id text) "
                "PARTITION BY LIST (dimension_id)",
                "exchange_key",
                "by LIST of dimension_id",
            ),
            (
                "DROP TABLE fact_sales; CREATE TABLE fact_sales (dimension_id bigint, metric numeric(18,4), load_id text) "
                "PARTITION BY LIST (lower(load_id))",
                "exchange_key",
                "an expression",
            ),
            (
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER audit "
                "AFTER INSERT ON fact_sales FOR EACH ROW EXECUTE FUNCTION f()",
                "exchange_trigger",
                "the trigger audit",
            ),
            (
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER gone "
                "AFTER DELETE ON fact_sales EXECUTE FUNCTION f()",
                "exchange_trigger",
                "the trigger gone",
            ),
            ("CREATE PUBLICATION feeds FOR TABLE fact_sales", "exchange_published", "publication feeds"),
            ("CREATE PUBLICATION everything FOR ALL TABLES", "exchange_published", "publication everything"),
            (
                "CREATE TABLE notes (load_id text, id bigint, FOREIGN KEY (load_id, id) REFERENCES fact_sales)",
                "exchange_referenced",
                "a foreign key of notes",
            ),
            (
                "CREATE RULE kept AS ON DELETE TO fact_sales DO INSTEAD NOTHING; CREATE RULE r AS ON INSERT TO fact_sales "
                "DO ALSO NOTHING",
                "fact_rules",
                "a rule ON INSERT",
            ),
        ],
    )
    def test_are_refused_by_name(self, place: Place, change: str, code: str, said: str) -> None:
        place.execute(change)
        place.workbook([("A1", 1)])
        with pytest.raises(FeedError, match=said) as refused:
            place.load(exchanging(place))
        assert refused.value.code == code
        assert "replace" in str(refused.value)

    def test_a_user_who_does_not_own_the_table_is_told_so(self, place: Place) -> None:
        place.execute("DROP ROLE IF EXISTS exchange_loader")
        place.execute(
            "CREATE ROLE exchange_loader LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO exchange_loader; "
            f"GRANT CREATE ON DATABASE {place.engine.url.database} TO exchange_loader"
        )
        place.workbook([("A1", 1)])
        url = place.engine.url.set(username="exchange_loader").render_as_string(hide_password=False)
        with pytest.raises(
            FeedError, match="user exchange_loader lacks the ownership of fact_sales"
        ) as refused:
            replace(place, url=url).load(exchanging(place))
        assert refused.value.code == "exchange_right_missing"
        assert "CREATE on schema public" in str(refused.value)


class TestPlaces:
    """The partition that a load's rows come into holds them and no others."""

    def test_rows_of_others_in_the_same_partition_stay(self, place: Place) -> None:
        place.execute(f"CREATE TABLE two PARTITION OF fact_sales FOR VALUES IN ('{LOAD}', 'by hand')")
        place.execute("INSERT INTO fact_sales (dimension_id, metric) VALUES (1, 6)")
        place.workbook([("A1", 1)])
        with pytest.raises(FeedError, match="holds 1 rows of others") as refused:
            place.load(exchanging(place))
        assert refused.value.code == "exchange_shared"
        assert place.facts() == [(1, "6.0000", "by hand")]

    def test_rows_that_the_load_never_published_stay(self, place: Place) -> None:
        place.execute(f"CREATE TABLE one PARTITION OF fact_sales FOR VALUES IN ('{LOAD}')")
        place.execute(f"INSERT INTO fact_sales (dimension_id, metric, load_id) VALUES (1, 6, '{LOAD}')")
        place.workbook([("A1", 1)])
        with pytest.raises(ReconciliationError, match="1 rows of fact_sales carry") as refused:
            place.load(exchanging(place))
        assert refused.value.code == "facts_unknown"
        assert place.facts() == [(1, "6.0000", LOAD)]

    def test_a_default_partition_that_holds_them_is_told_of(self, place: Place) -> None:
        place.execute("CREATE TABLE rest PARTITION OF fact_sales DEFAULT")
        place.execute(f"INSERT INTO fact_sales (dimension_id, metric, load_id) VALUES (1, 6, '{LOAD}')")
        place.workbook([("A1", 1)])
        with pytest.raises(
            FeedError, match="rest, the default partition of fact_sales, holds 1 rows"
        ) as refused:
            place.load(exchanging(place))
        assert refused.value.code == "exchange_default"
        place.execute(f"DELETE FROM rest WHERE load_id = '{LOAD}'")
        place.load(exchanging(place))
        assert partitions(place)[0] == ("fact_sales_sales_2026_11_05", f"FOR VALUES IN ('{LOAD}')")

    def test_a_table_of_the_same_name_is_not_touched(self, place: Place) -> None:
        place.execute("CREATE TABLE fact_sales_sales_2026_11_05 AS SELECT 1 AS kept")
        place.workbook([("A1", 1)])
        with pytest.raises(FeedError, match="is there already, and is no partition") as refused:
            place.load(exchanging(place))
        assert refused.value.code == "exchange_name_taken"
        assert place.rows("SELECT * FROM fact_sales_sales_2026_11_05") == [(1,)]
        place.execute("DROP TABLE fact_sales_sales_2026_11_05")
        place.load(exchanging(place))
        assert place.facts() == [(1, "1.0000", LOAD)]

    @pytest.mark.parametrize(
        ("kind", "key", "bound"),
        [
            ("date", "LIST (day)", "FOR VALUES IN ('2026-11-05')"),
            ("date", "RANGE (day)", "FOR VALUES FROM ('2026-11-05') TO ('2026-11-06')"),
            (
                "timestamp",
                "RANGE (day)",
                "FOR VALUES FROM ('2026-11-05 00:00:00') TO ('2026-11-06 00:00:00')",
            ),
            ("text", "LIST (day)", "FOR VALUES IN ('2026-11-05')"),
        ],
    )
    def test_may_be_told_by_the_period(self, place: Place, kind: str, key: str, bound: str) -> None:
        feed = self.by_period(place, kind, key)
        place.workbook([("A1", 1)], LATER)
        place.load(feed, LATER)
        for rows in ([("A1", 1), ("B2", 2)], [("B2", 3)]):
            place.workbook(rows)
            place.load(feed)
        assert place.facts() == [(1, "1.0000", "sales@2026-11-06"), (2, "3.0000", LOAD)]
        assert partitions(place)[0] == ("fact_sales_sales_2026_11_05", bound)

    @pytest.mark.parametrize("column", ["load_id", "day"])
    def test_a_staged_row_can_t_be_given_to_another_load(self, place: Place, column: str) -> None:
        feed = self.by_period(place, "date", "LIST (day)")
        place.workbook([("A1", 1)])
        stepped = SteppedLoad(partial(steps.open_load, feed, PERIOD), feed, place.url).until("publish")
        other = {"load_id": "'sales@2026-11-06'", "day": "'2026-11-06'"}[column]
        with pytest.raises(IntegrityError, match="factload_bound"):
            place.execute(f"UPDATE factload_staging.{stepped.load.staging_table} SET {column} = {other}")

    def test_rows_of_the_load_in_another_partition_are_not_loaded_a_second_time(self, place: Place) -> None:
        feed = self.by_period(place, "date", "LIST (day)")
        place.workbook([("A1", 1)])
        place.load(exchanging(place, {"fact.mode": "exchange", "fact.columns.day": {"period": True}}))
        place.execute("CREATE TABLE other PARTITION OF fact_sales FOR VALUES IN ('2026-11-04')")
        place.execute("UPDATE fact_sales SET day = '2026-11-04'")
        place.workbook([("A1", 2)])
        with pytest.raises(
            FeedError, match=r"1 rows of sales@2026-11-05 stand in partition public\.other"
        ) as refused:
            place.load(feed)
        assert refused.value.code == "facts_left_behind"
        assert place.facts() == [(1, "1.0000", LOAD)]

    def test_a_month_of_daily_loads_is_refused_from_the_second_on(self, place: Place) -> None:
        feed = self.by_period(place, "date", "RANGE (day)")
        place.execute(
            "CREATE TABLE november PARTITION OF fact_sales FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')"
        )
        place.workbook([("A1", 1)])
        place.load(feed)
        assert partitions(place) == [("november", "FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')")]
        place.workbook([("A1", 2)], LATER)
        with pytest.raises(FeedError, match=r"november \(FOR VALUES FROM .* holds 1 rows of others"):
            place.load(feed, LATER)
        assert place.facts() == [(1, "1.0000", LOAD)]

    def by_period(self, place: Place, kind: str, key: str) -> Feed:
        place.execute(
            "DROP TABLE fact_sales; CREATE TABLE fact_sales (dimension_id bigint REFERENCES dim_product, "
            f"metric numeric(18,4), load_id text, day {kind} NOT NULL) PARTITION BY {key}"
        )
        return exchanging(place, {"fact.columns.day": {"period": True}})

    @pytest.mark.parametrize("kind", ["uuid", "bigint", "varchar(60)"])
    def test_the_load_column_may_be_of_any_type_that_holds_a_load(self, place: Place, kind: str) -> None:
        place.execute(
            "DROP TABLE fact_sales; CREATE TABLE fact_sales (dimension_id bigint, metric numeric(18,4), "
            f"load_id {kind}) PARTITION BY LIST (load_id)"
        )
        feed = exchanging(place)
        for metric in (1, 2):
            place.workbook([("A1", metric)])
            place.load(feed)
        assert place.rows("SELECT metric FROM fact_sales") == [(2,)]
        assert len(partitions(place)) == 1


class TestReaders:
    def test_a_new_period_waits_for_no_reader_of_the_fact_table(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "1")
        feed = exchanging(place)
        place.workbook([("A1", 1)])
        place.load(feed)
        place.workbook([("A1", 2)], LATER)
        with place.engine.connect() as reader:
            assert reader.exec_driver_sql("SELECT count(*) FROM fact_sales").scalar() == 1
            place.load(feed, LATER)
            assert reader.exec_driver_sql("SELECT count(*) FROM fact_sales").scalar() == 2

    def test_a_snapshot_from_before_the_staged_rows_that_looks_first_afterwards_sees_none_of_the_load(
        self, place: Place
    ) -> None:
        """The exception that docs/modes.md tells of."""
        feed = exchanging(place)
        for period in (PERIOD, LATER):
            place.workbook([("A1", 1)], period)
            place.load(feed, period)
        place.workbook([("A1", 2)])
        with place.engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
            reader.exec_driver_sql("SELECT count(*) FROM pg_class")
            place.load(feed)
            seen = reader.exec_driver_sql("SELECT load_id FROM fact_sales").scalars().all()
        assert seen == ["sales@2026-11-06"]
        assert len(place.facts()) == 2

    @pytest.mark.parametrize(("check", "read"), [("", True), ("ADD CHECK (load_id IS NULL)", False)])
    def test_a_default_partition_is_read_unless_a_check_says_that_it_holds_no_load(
        self, place: Place, check: str, read: bool
    ) -> None:
        place.execute(
            "CREATE TABLE plain (load_id text, dimension_id bigint, metric numeric(18,4)) PARTITION BY LIST (load_id)"
        )
        place.execute("CREATE TABLE rest PARTITION OF plain DEFAULT")
        place.execute("INSERT INTO rest SELECT NULL, 1, n FROM generate_series(1, 20000) n")
        place.execute("ANALYZE rest")
        if check:
            place.execute(f"ALTER TABLE rest {check}")
        feed = exchanging(place, {"fact.table": "plain"})
        for metric in (1, 2):
            place.workbook([("A1", metric)])
            before = self.scans(place)
            place.load(feed)
        assert (self.scans(place) > before) is read

    def scans(self, place: Place) -> int:
        place.execute("SELECT pg_stat_force_next_flush()")
        [(scans,)] = place.rows("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'rest'")
        return int(scans)

    def test_a_large_default_partition_is_warned_of(self, place: Place) -> None:
        place.execute("CREATE TABLE rest PARTITION OF fact_sales DEFAULT")
        place.execute(
            "INSERT INTO fact_sales (dimension_id, metric) SELECT 1, n FROM generate_series(1, 20000) n"
        )
        place.execute("ANALYZE rest")
        place.workbook([("A1", 1)])
        exchanging(place)
        status, out, _ = check("--url", place.url)
        assert status == 0, out
        told = " ".join(out.split())
        assert "the default partition of fact_sales holds about 20,000 rows" in told
        assert "ALTER TABLE public.rest ADD CHECK (load_id IS NULL)" in told


class TestTheFactTableChanges:
    def test_a_column_that_came_since_the_rows_were_staged(self, place: Place) -> None:
        place.workbook([("A1", 1)])
        stepped = stepping(place).until("publish")
        place.execute("ALTER TABLE fact_sales ADD COLUMN note text DEFAULT 'none'")
        with pytest.raises(FeedError, match="columns or CHECK constraints of fact_sales were changed"):
            stepped.run("publish")
        place.load(exchanging(place))
        assert place.rows("SELECT metric, note FROM fact_sales") == [(1, "none")]

    def test_an_index_and_a_foreign_key_that_came_since_are_made(self, place: Place) -> None:
        place.workbook([("A1", 1)])
        stepped = stepping(place).until("publish")
        place.execute("CREATE INDEX late ON fact_sales (metric)")
        place.execute("CREATE TABLE other (id bigint PRIMARY KEY); INSERT INTO other VALUES (1)")
        place.execute(
            "ALTER TABLE fact_sales ADD CONSTRAINT later FOREIGN KEY (dimension_id) REFERENCES other"
        )
        stepped.go_on("publish")
        assert place.facts() == [(1, "1.0000", LOAD)]
        attached = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'late'::regclass"
        assert place.rows(attached) == [(1,)]

    def test_a_check_that_older_rows_need_not_keep_is_no_change(self, place: Place) -> None:
        place.execute("CREATE TABLE hand PARTITION OF fact_sales FOR VALUES IN ('by hand')")
        place.execute("INSERT INTO fact_sales (dimension_id, metric) VALUES (1, 5)")
        place.execute("ALTER TABLE fact_sales ADD CONSTRAINT high CHECK (metric > 100) NOT VALID")
        place.workbook([("A1", 200)])
        stepping(place).until("load_partition")
        place.load(exchanging(place))
        assert place.facts() == [(1, "200.0000", LOAD), (1, "5.0000", "by hand")]

    def test_a_row_without_its_member_is_refused_and_the_old_ones_stay(self, place: Place) -> None:
        place.workbook([("A1", 1), ("B2", 2)])
        place.load(exchanging(place))
        place.workbook([("A1", 7)])
        stepped = stepping(place).until("publish")
        place.execute("DELETE FROM fact_sales; DELETE FROM dim_product WHERE primary_synthetic_key = 1")
        with pytest.raises(RowsRefused, match="foreign key constraint"):
            stepped.run("publish")
        assert place.facts() == []
        place.execute("INSERT INTO dim_product (primary_synthetic_key, business_key) VALUES (1, 'A1')")
        stepped.go_on("publish")
        assert place.facts() == [(1, "7.0000", LOAD)]

    @pytest.mark.parametrize(("before", "after"), [("replace", "exchange"), ("exchange", "replace")])
    def test_a_feed_may_change_its_mode(self, place: Place, before: str, after: str) -> None:
        place.execute("CREATE TABLE rest PARTITION OF fact_sales FOR VALUES IN ('sales@2026-11-05')")
        for mode in (before, after, before):
            place.workbook([("A1", len(mode))])
            place.load(place.feed({"fact.mode": mode}))
            assert place.facts() == [(1, f"{len(mode)}.0000", LOAD)]
        assert partitions(place) == [("rest", f"FOR VALUES IN ('{LOAD}')")]
        assert staged(place) == []


def stepping(place: Place) -> SteppedLoad:
    feed = exchanging(place)
    return SteppedLoad(partial(steps.open_load, feed, PERIOD), feed, place.url)
