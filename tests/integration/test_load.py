"""A load end to end: the rows before, the workbook, the rows after."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from factload.errors import RowsRefused
from factload.feed.model import Feed
from factload.load import Load
from factload.pipeline import run_load
from factload.progress import Quiet
from factload.reports.report import Report, read_report
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"


def load(place: Place, feed: Feed | None = None, period: date = PERIOD, **options: Any) -> Load:
    return run_load(feed or place.feed(), period, database=place.url, progress=Quiet(), **options)


def report(place: Place, load_id: str = LOAD) -> Report:
    return read_report(place.url, load_id)


def test_rows_become_facts_with_the_surrogate_key_of_their_dimension(place: Place) -> None:
    place.workbook([("A1", 1.5), ("B2", -2), ("00123", 3), (123, 4), ("padded", 5), ("A1", 0.00005)])
    load(place)
    assert place.facts() == [
        (1, "0.0000", LOAD),  # half even: 0.00005 at four decimals
        (1, "1.5000", LOAD),
        (2, "-2.0000", LOAD),
        (3, "3.0000", LOAD),
        (4, "5.0000", LOAD),  # trimmed on both sides
        (5, "4.0000", LOAD),  # a numeric cell is its integer text
    ]
    assert report(place).rows == {"source": 6, "blank": 0, "rejected": 0, "staged": 6, "published": 6}


def test_every_row_is_accounted_for_and_every_reject_has_its_place_and_reason(place: Place) -> None:
    place.workbook(
        [
            ("A1", 1),
            (None, None),
            ("A1", None),
            (None, 2),
            ("  ", 3),
            ("nobody", 4),
            ("B2", "n/a"),
            ("B2", 1e15),
            ("B2", "#DIV/0!"),
            ("B2", 5),
        ]
    )
    load(place)
    assert place.facts() == [(1, "1.0000", LOAD), (2, "5.0000", LOAD)]
    assert place.rows('SELECT sheet, "row", "column", raw, reason FROM factload.rejects ORDER BY "row"') == [
        ("Facts", 4, "metric", None, "blank_value"),
        ("Facts", 5, "business_key", None, "blank_key"),
        ("Facts", 6, "business_key", None, "blank_key"),
        ("Facts", 7, "business_key", "nobody", "unmatched_key"),
        ("Facts", 8, "metric", "n/a", "not_a_number"),
        ("Facts", 9, "metric", "1000000000000000", "number_out_of_range"),
        ("Facts", 10, "metric", "#DIV/0!", "error_cell"),
    ]
    assert report(place).rows == {"source": 9, "blank": 0, "rejected": 7, "staged": 2, "published": 2}
    assert report(place).rejects["blank_key"] == 2


def test_many_partitions_agree_with_an_independent_reader(place: Place) -> None:
    keys = ("A1", "B2", "00123", "padded", "missing")
    path = place.workbook([(keys[i % 5], f"{i}.25" if i % 7 == 0 else i / 8) for i in range(7_001)])
    load(place)

    workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    sheet = workbook["Facts"]
    good = [
        Decimal(repr(metric)).quantize(Decimal("0.0001"))
        for key, metric in sheet.iter_rows(min_row=2, values_only=True)
        if key != "missing" and not isinstance(metric, str)
    ]
    workbook.close()
    [(count, total)] = place.rows("SELECT count(*), sum(metric) FROM fact_sales")
    assert (count, total) == (len(good), sum(good))
    assert len(place.rows("SELECT 1 FROM factload.partitions")) == 4
    assert report(place).control_totals["metric"] == {"source": str(total), "published": str(total)}


def test_a_null_or_blank_member_never_matches(place: Place) -> None:
    place.workbook([("A1", 1), (None, 2), ("", 3), (" ", 4)])
    load(place)
    assert place.facts() == [(1, "1.0000", LOAD)]


def test_a_second_run_leaves_a_published_load_alone(place: Place) -> None:
    place.workbook([("A1", 1)])
    first = load(place)
    before = place.rows("SELECT id FROM fact_sales")
    again = load(place)
    assert (first.already_published, again.already_published) == (False, True)
    assert place.rows("SELECT id FROM fact_sales") == before
    assert place.rows("SELECT count(*) FROM factload.attempts") == [(1,)]


def test_a_reload_replaces_and_does_not_add(place: Place) -> None:
    place.workbook([("A1", 1), ("B2", 2)])
    load(place)
    before = place.rows("SELECT id FROM fact_sales")
    load(place, reload=True)
    assert place.facts() == [(1, "1.0000", LOAD), (2, "2.0000", LOAD)]
    assert not set(place.rows("SELECT id FROM fact_sales")) & set(before)


def test_a_corrected_workbook_replaces_and_leaves_no_old_rows_or_rejects(place: Place) -> None:
    place.workbook([("A1", 1), ("B2", 2), ("nobody", 3), ("A1", 4)])
    load(place)
    place.workbook([("A1", 10)])
    load(place)
    assert place.facts() == [(1, "10.0000", LOAD)]
    assert place.rows("SELECT count(*) FROM factload.rejects") == [(0,)]
    assert report(place).rows == {"source": 1, "blank": 0, "rejected": 0, "staged": 1, "published": 1}


def test_periods_are_loads_of_their_own_in_any_order(place: Place) -> None:
    for day, metric in ((6, 60), (5, 50), (4, 40), (5, 55)):
        place.workbook([("A1", metric)], date(2026, 11, day))
        load(place, period=date(2026, 11, day))
    assert place.facts() == [
        (1, "40.0000", "sales@2026-11-04"),
        (1, "55.0000", "sales@2026-11-05"),
        (1, "60.0000", "sales@2026-11-06"),
    ]


def test_too_many_rejects_publish_nothing_and_are_kept(place: Place) -> None:
    place.workbook([("A1", 1)])
    load(place)
    place.workbook([("A1", 2), ("nobody", 3), ("no one", 4)])
    with pytest.raises(RowsRefused, match=r"2 of 3 rows were rejected.*at most max_rejects, 50%"):
        load(place, place.feed({"max_rejects": "50%"}))
    assert place.facts() == [(1, "1.0000", LOAD)]
    held = report(place)
    assert (held.state, held.rows["rejected"], held.rejects) == ("held", 2, {"unmatched_key": 2})
    assert place.rows("SELECT raw FROM factload.rejects ORDER BY raw") == [("no one",), ("nobody",)]


def test_after_the_dimension_caught_up_the_held_load_goes_through(place: Place) -> None:
    place.workbook([("A1", 2), ("nobody", 3), ("no one", 4)])
    with pytest.raises(RowsRefused):
        load(place, place.feed({"max_rejects": "50%"}))
    place.execute("INSERT INTO dim_product (primary_synthetic_key, business_key) VALUES (10, 'nobody')")
    load(place)
    assert place.facts() == [(1, "2.0000", LOAD), (10, "3.0000", LOAD)]


def test_a_sheet_with_nothing_below_its_header_publishes_nothing(place: Place) -> None:
    place.workbook([])
    load(place)
    assert place.facts() == []
    assert (report(place).state, report(place).rows["source"]) == ("published", 0)


def test_unmatched_fail_refuses_the_load(place: Place) -> None:
    place.workbook([("A1", 1), ("nobody", 2)])
    with pytest.raises(
        RowsRefused,
        match=r"row 3 of one partition has a business key without a member.*`factload check` lists",
    ):
        load(place, place.feed({"dimensions.product.unmatched": "fail"}))
    assert place.facts() == []
    assert report(place).state == "refused"


def test_duplicate_members_stop_the_load_and_are_named(place: Place) -> None:
    place.execute("INSERT INTO dim_product VALUES (20, ' A1'), (21, 'B2 ')")
    place.workbook([("A1", 1)])
    with pytest.raises(
        RowsRefused, match="2 business keys of dim_product belong to more than one member: 'A1', 'B2'"
    ):
        load(place)
    assert place.facts() == []


@pytest.mark.parametrize("way", ["core", "copy"])
def test_both_ways_of_inserting_give_the_same_rows(place: Place, way: str) -> None:
    place.workbook([("A1", 1.25), ("B2", -0.0001), ("nobody", 1)])
    load(place, place.feed({"insert": way}))
    assert place.facts() == [(1, "1.2500", LOAD), (2, "-0.0001", LOAD)]


def test_nothing_is_left_in_staging_once_published(place: Place) -> None:
    place.workbook([("A1", 1)])
    load(place)
    assert place.rows("SELECT 1 FROM pg_tables WHERE schemaname = 'factload_staging'") == []
    assert list((place.home / ".staging").iterdir()) == []
