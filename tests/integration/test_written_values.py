"""Values written as a feed declares: loaded, checked, rejected with their cell, corrected and replayed."""

from __future__ import annotations

from typing import Any

import pytest

from factload.errors import RowsRefused
from factload.feed.model import Feed
from factload.ledger.rejects import read_rejects
from factload.reports.rejects_workbook import write_rejects
from tests.feeds import ABSENT
from tests.integration.commands import report
from tests.integration.place import Place
from tests.integration.resaved import corrected, resaved

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


def sent_back(place: Place, feed: Feed, name: str, changes: dict[tuple[int, str], Any]) -> str:
    """The rejects, written, corrected, and saved as ``name``."""
    written = place.home / "rejects.xlsx"
    with place.engine.connect() as connection, written.open("wb") as file:
        assert write_rejects(file, connection, feed, LOAD).whole
    resaved(written, place.home / "inbox" / name, corrected(changes))
    return f"inbox/{name}"


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
    with place.engine.connect() as connection:
        found = [(r.column, r.cell, r.raw, r.reason) for r in read_rejects(connection, LOAD)]
    assert found == REJECTS
    _, checked = report()
    said = {(one["column"], one["address"].rpartition("!")[2], one["reason"]) for one in checked["rejected"]}
    assert said == {(column, cell, reason) for column, cell, _, reason in REJECTS}

    typed = {(3, "metric"): -10} if kind == "xlsx" else {}
    place.replay(feed, sent_back(place, feed, f"corrected.{kind}", CORRECTED | typed))
    assert place.facts() == [
        (3, "-10.0000", LOAD),
        (3, "-1000.5000", LOAD),
        *((3, metric, LOAD) for metric in ("2000.0000", "5.0000", "5.0000", "5.0000")),
    ]
