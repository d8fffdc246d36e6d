"""Values written as a feed declares: loaded, checked, rejected with their cell, corrected and replayed."""

from __future__ import annotations

from datetime import datetime

import pytest

from factload.errors import FeedError, RowsRefused
from tests.feeds import ABSENT
from tests.integration.commands import report
from tests.integration.place import Place
from tests.workbooks import write_rows

LOAD = "sales@2026-11-05"
WRITTEN = {
    "max_rejects": "100%",
    "workbook": {
        "path": "inbox/sales_{period}.csv",
        "csv": {
            "delimiter": ";",
            "decimal": ",",
            "thousands": ".",
            "negative": "trailing",
            "nulls": ["-", "k.A."],
        },
    },
    "dimensions.product.type": "integer",
    "dimensions.product.normalize": ABSENT,
    "fact.columns.metric": {"column": "metric", "type": "numeric(18,4)", "required": True, "strip": ["EUR"]},
}
EXPORT = """business_key;metric
0123;1.000,50- EUR
123;10 USD
+123;-
k.A.;5
1,5;5
1E2;5
07;5
"""
REJECTS = [
    ("metric", "B3", "10 USD", "not_a_number"),
    ("metric", "B4", "-", "blank_value"),
    ("business_key", "A5", "k.A.", "blank_key"),
    ("business_key", "A6", "1,5", "not_an_integer"),
    ("business_key", "A7", "1E2", "not_a_number"),
    ("business_key", "A8", "7", "unmatched_key"),
]
CORRECTED = {
    (3, "metric"): "10-",
    (4, "metric"): "2.000 EUR",
    (5, "business_key"): "0123",
    (6, "business_key"): "123,0",
    (7, "business_key"): "-",
    (8, "business_key"): "123",
}


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_correction_is_read_as_the_feed_says(place: Place, kind: str) -> None:
    feed = place.feed(WRITTEN)
    (place.home / "inbox/sales_2026-11-05.csv").write_text(EXPORT, encoding="utf-8")
    # '00123' and '123' are one number.
    with pytest.raises(RowsRefused, match="1 business keys of dim_product belong to more than one member"):
        place.load(feed)
    place.execute("DELETE FROM dim_product WHERE business_key = '123'")

    place.load(feed)
    assert place.facts() == [(3, "-1000.5000", LOAD)]
    assert [(r.column, r.cell, r.raw, r.reason) for r in place.rejects()] == REJECTS
    _, checked = report()
    said = {(one["column"], one["address"].rpartition("!")[2], one["reason"]) for one in checked["rejected"]}
    assert said == {(column, cell, reason) for column, cell, _, reason in REJECTS}

    typed = {(3, "metric"): -10} if kind == "xlsx" else {}
    place.replay(feed, place.sent_back(feed, f"corrected.{kind}", CORRECTED | typed))
    assert place.facts() == [
        (3, "-10.0000", LOAD),
        (3, "-1000.5000", LOAD),
        *((3, metric, LOAD) for metric in ("2000.0000", "5.0000", "5.0000", "5.0000")),
    ]


@pytest.mark.parametrize("insert", ["core", "copy"])
def test_moments_go_into_a_column_with_time_zone(place: Place, insert: str) -> None:
    place.execute("ALTER TABLE fact_sales ADD at timestamptz")
    name = place.rows("SELECT current_database()")[0][0]
    place.execute(f"ALTER DATABASE {name} SET timezone = 'Pacific/Auckland'")
    header = ("business_key", "metric", "at")
    times = (datetime(2026, 11, 5, 12, 30), "25.10.2026 02:30", "29.03.2026 02:30", "25.10.2026 03:00", None)
    write_rows(
        place.home / "inbox/sales_2026-11-05.xlsx", [header, *(("A1", n, at) for n, at in enumerate(times))]
    )
    at = {"column": "at", "type": "timestamptz", "timezone": "Europe/Berlin", "parse_text": True}
    feed = place.feed({"insert": insert, "fact.columns.at": at | {"date_format": "%d.%m.%Y %H:%M"}})
    place.load(feed)
    shown = place.rows("SELECT metric::int, (at AT TIME ZONE 'UTC')::text FROM fact_sales ORDER BY 1")
    assert shown == [(0, "2026-11-05 11:30:00"), (3, "2026-10-25 02:00:00"), (4, None)]
    found = [(r.cell, r.raw, r.reason) for r in place.rejects()]
    assert found == [("C3", times[1], "ambiguous_time"), ("C4", times[2], "nonexistent_time")]


def test_a_column_is_with_time_zone_or_without(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ADD zoned timestamptz, ADD plain timestamp")
    zoned = {"column": "at", "type": "timestamptz", "timezone": "UTC"}
    for column, declared in (("plain", zoned), ("zoned", {"column": "at", "type": "timestamp"})):
        feed = place.feed({f"fact.columns.{column}": declared})
        write_rows(
            place.home / "inbox/sales_2026-11-05.xlsx", [("business_key", "metric", "at"), ("A1", 1, None)]
        )
        with pytest.raises(FeedError, match=f"fact_sales.{column} is timestamp with"):
            place.load(feed)
