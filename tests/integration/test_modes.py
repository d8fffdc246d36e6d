"""What each mode does with rows that are there: the rows before, the workbook, the rows after."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import date

import pytest

from factload.errors import FeedError, ReconciliationError
from factload.fact.load_column import LOAD_NAMESPACE
from factload.feed.model import Feed
from factload.reports.report import read_report
from tests.feeds import ABSENT
from tests.integration.place import Place

LOAD = "sales@2026-11-05"
LATER = date(2026, 11, 6)


def without_load_column(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales DROP COLUMN load_id")


def appending(place: Place, limit: int | str = "80%") -> Feed:
    return place.feed({"fact.mode": "append_once", "fact.load_column": ABSENT, "max_rejects": limit})


def upserting(place: Place, keys: str = "dimension_id", limit: str = "80%") -> Feed:
    mode = {"upsert": keys.split(", ")}
    return place.feed({"fact.mode": mode, "fact.load_column": ABSENT, "max_rejects": limit})


def facts(place: Place) -> list[tuple[object, ...]]:
    return place.rows("SELECT dimension_id, metric::float FROM fact_sales ORDER BY 1, 2")


class TestAppendOnce:
    def test_a_load_is_appended_once_and_the_same_again_does_nothing(self, place: Place) -> None:
        without_load_column(place)
        place.execute("INSERT INTO fact_sales (dimension_id, metric) VALUES (1, 100)")
        place.workbook([("A1", 1), ("B2", 2)])
        assert not place.load(appending(place)).already_published
        assert place.load(appending(place)).already_published
        place.workbook([("A1", 3)], LATER)
        place.load(appending(place), LATER)
        assert facts(place) == [(1, 1.0), (1, 3.0), (1, 100.0), (2, 2.0)]

    @pytest.mark.parametrize("change", ["workbook", "reload", "mode"])
    def test_what_would_add_it_again_is_an_error_that_says_what_to_do(
        self, place: Place, change: str
    ) -> None:
        place.execute("ALTER TABLE fact_sales ALTER COLUMN load_id DROP NOT NULL")
        place.workbook([("A1", 1)])
        place.load(appending(place))
        if change == "workbook":
            place.workbook([("A1", 1), ("B2", 2)])
        feed = place.feed() if change == "mode" else appending(place)
        with pytest.raises(FeedError, match=r"is published: 1 rows went into fact_sales.*another period"):
            place.load(feed, reload=change == "reload")
        assert facts(place) == [(1, 1.0)]
        assert read_report(place.url, LOAD).state == "published"

    def test_an_attempt_that_failed_is_not_an_appended_one(self, place: Place) -> None:
        without_load_column(place)
        place.workbook([("A1", 1), ("nobody", 2)])
        with pytest.raises(Exception, match="were rejected"):
            place.load(appending(place, limit=0))
        place.workbook([("A1", 5)])
        place.load(appending(place))
        assert facts(place) == [(1, 5.0)]


class TestUpsert:
    @pytest.fixture(autouse=True)
    def keyed(self, place: Place) -> None:
        without_load_column(place)
        place.execute("CREATE UNIQUE INDEX ON fact_sales (dimension_id) INCLUDE (metric)")

    def test_rows_with_the_key_change_others_come_and_none_goes(self, place: Place) -> None:
        place.execute("INSERT INTO fact_sales (dimension_id, metric) VALUES (1, 100), (3, 300)")
        place.workbook([("A1", 1), ("B2", 2)])
        place.load(upserting(place))
        assert facts(place) == [(1, 1.0), (2, 2.0), (3, 300.0)]
        place.workbook([("B2", 22)])
        place.load(upserting(place))
        assert facts(place) == [(1, 1.0), (2, 22.0), (3, 300.0)]

    def test_a_second_run_changes_nothing(self, place: Place) -> None:
        place.workbook([("A1", 1), ("B2", 2)])
        place.load(upserting(place))
        before = place.rows("SELECT * FROM fact_sales ORDER BY id")
        place.load(upserting(place), reload=True)
        assert place.rows("SELECT * FROM fact_sales ORDER BY id") == before

    def test_the_first_row_of_a_key_stays_the_others_are_rejected_across_partitions(
        self, place: Place
    ) -> None:
        # 4,500 rows in partitions of 2,000, and three keys
        keys = ["A1", "B2", "00123"]
        place.workbook([(keys[i % 3], i) for i in range(4_500)])
        place.load(upserting(place, limit="100%"))
        assert facts(place) == [(1, 0.0), (2, 1.0), (3, 2.0)]
        report = read_report(place.url, LOAD)
        assert report.rows == {"source": 4500, "blank": 0, "rejected": 4497, "staged": 3, "published": 3}
        assert report.rejects == {"duplicate_key": 4497}
        assert report.control_totals == {"metric": {"source": "3.0000", "published": "3.0000"}}
        of_rejects = (
            'SELECT sheet, "row", "column", cell, raw, duplicate_of FROM factload.rejects ORDER BY "row"'
        )
        assert place.rows(f"{of_rejects} LIMIT 2") == [
            ("Facts", 5, "business_key", "A5", "A1", "Facts row 2"),
            ("Facts", 6, "business_key", "A6", "B2", "Facts row 3"),
        ]
        assert place.rows(f"{of_rejects} DESC LIMIT 1") == [
            ("Facts", 4501, "business_key", "A4501", "00123", "Facts row 4")
        ]
        assert place.rows("SELECT label, rejected_rows FROM factload.partitions ORDER BY first_row") == [
            ("Facts 2–2001", 1_997),
            ("Facts 2002–4001", 2_000),
            ("Facts 4002–4501", 500),
        ]

    def test_two_columns_may_be_the_key(self, place: Place) -> None:
        place.execute("ALTER TABLE fact_sales ADD UNIQUE (metric, dimension_id)")
        place.execute("DROP INDEX fact_sales_dimension_id_metric_idx")
        place.workbook([("A1", 1), ("A1", 2.5), ("A1", 2.5)])
        place.load(upserting(place, "dimension_id, metric"))
        assert facts(place) == [(1, 1.0), (1, 2.5)]
        assert place.rows("SELECT cell, raw, duplicate_of FROM factload.rejects") == [
            ("A4", "A1, 2.5", "Facts row 3")
        ]

    @pytest.mark.parametrize(
        "index",
        [
            "(dimension_id)",
            "UNIQUE (dimension_id, metric)",
            "UNIQUE (dimension_id) WHERE metric > 0",
            "UNIQUE (abs(dimension_id))",
        ],
    )
    def test_the_key_needs_a_unique_index_of_its_own(self, place: Place, index: str) -> None:
        place.execute("DROP INDEX fact_sales_dimension_id_metric_idx")
        _, _, columns = index.rpartition("UNIQUE ")
        place.execute(f"CREATE {'UNIQUE ' if 'UNIQUE' in index else ''}INDEX ON fact_sales {columns}")
        place.workbook([("A1", 1)])
        with pytest.raises(
            FeedError, match=r"has no unique index on just that.*Create a unique index on \(dimension_id\)"
        ):
            place.load(upserting(place))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("varchar(60)", LOAD),
        ("uuid", str(uuid.uuid5(LOAD_NAMESPACE, LOAD))),
        ("bigint", str(int.from_bytes(hashlib.sha256(LOAD.encode()).digest()[:8]) >> 1)),
    ],
)
def test_the_load_column_may_be_text_uuid_or_bigint(place: Place, kind: str, value: str) -> None:
    place.execute("ALTER TABLE fact_sales DROP COLUMN load_id")
    place.execute(f"ALTER TABLE fact_sales ADD load_id {kind}")
    place.execute("INSERT INTO fact_sales (dimension_id, metric) VALUES (1, 100)")
    place.workbook([("A1", 1)])
    place.load()
    place.workbook([("B2", 2)])
    place.load()
    assert place.rows("SELECT dimension_id, load_id::text FROM fact_sales ORDER BY 1") == [
        (1, None),
        (2, value),
    ]


@pytest.mark.parametrize("mode", ["replace", "append_once", "upsert"])
def test_in_every_mode_publish_sees_what_a_trigger_changes(place: Place, mode: str) -> None:
    place.execute("CREATE UNIQUE INDEX ON fact_sales (dimension_id)")
    place.execute("ALTER TABLE fact_sales ALTER COLUMN load_id DROP NOT NULL")
    place.execute(
        "CREATE FUNCTION divert() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN NEW.dimension_id := 2; RETURN NEW; END'"
    )
    place.execute("CREATE TRIGGER divert BEFORE INSERT ON fact_sales FOR EACH ROW EXECUTE FUNCTION divert()")
    place.workbook([("A1", 1)])
    feeds: dict[str, Callable[[Place], Feed]] = {
        "replace": Place.feed,
        "append_once": appending,
        "upsert": upserting,
    }
    feed = feeds[mode](place)
    with pytest.raises(ReconciliationError, match="other values of dimension_id went into the fact table"):
        place.load(feed)
    assert place.facts() == []
