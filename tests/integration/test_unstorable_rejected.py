"""A text that the database can't store rejects its row and nothing else, however rows are inserted."""

from __future__ import annotations

import pytest

from tests.integration.place import Place


@pytest.mark.parametrize("insert", ["core", "copy"])
def test_an_unstorable_text_rejects_its_row_alone(place: Place, insert: str) -> None:
    place.workbook([("A1", 1), ("a_x0000_b", 2), ("nobody_xDC00_", 3), ("B2", "x_x0000_"), ("B2", 5)])
    place.execute("ALTER TABLE fact_sales ADD note text")
    feed = place.feed({"insert": insert, "fact.columns.note": {"column": "business_key", "type": "text"}})
    place.load(feed)
    assert place.rows("SELECT dimension_id, metric::text, note FROM fact_sales ORDER BY 1") == [
        (1, "1.0000", "A1"),
        (2, "5.0000", "B2"),
    ]
    rejects = [(r.row, r.cell, r.raw, r.reason) for r in place.rejects()]
    assert rejects == [
        (3, "A3", "a_x0000_b", "unstorable_text"),
        (4, "A4", "nobody_xDC00_", "unstorable_text"),
        (5, "B5", "x_x0000_", "not_a_number"),
    ]


def test_no_member_is_made_for_a_key_that_can_not_be_stored(place: Place) -> None:
    place.workbook([("A1", 1), ("new_x0000_", 2)])
    place.execute("ALTER TABLE dim_product ADD UNIQUE (business_key)")
    place.load(place.feed({"dimensions.product.unmatched": "create"}))
    assert place.rows("SELECT reason FROM factload.rejects") == [("unstorable_text",)]
    assert place.rows("SELECT count(*) FROM dim_product") == [(7,)]
