"""One feed over workbooks that are laid out differently: columns by other names, from sheet to fact to corrected reject."""

from __future__ import annotations

from typing import Any

import pytest

from factload.check.load import check_load
from factload.feed.model import Feed
from factload.progress import Quiet
from tests.integration.place import PERIOD, Place
from tests.workbooks import write_rows

LOAD = "sales@2026-11-05"
NAMED = {
    "workbook.path": "inbox/{period}_*.xlsx",
    "dimensions.product.column": ["SKU", "Artikel"],
    "fact.columns.metric": {"column": ["Amount", "Betrag"], "type": "numeric(18,4)", "unique": True},
    "fact.columns.code": {"column": ["Code", "Kennung"], "type": "text"},
}


@pytest.fixture
def named(place: Place) -> Feed:
    """Two workbooks of one load whose columns have different names, three rejects in each."""
    place.execute("ALTER TABLE fact_sales ADD code text")
    north = [
        ("SKU", "Amount", "Code"),
        ("A1", 1, "x"),
        ("nobody", 2, "x"),
        ("A1", 1, "x"),
        ("A1", "n/a", "x"),
    ]
    south = [
        ("Betrag", "Kennung", "Artikel"),
        (10, "x", "B2"),
        (11, "x", "none"),
        (1, "x", "B2"),
        ("?", "x", "B2"),
    ]
    write_rows(place.home / f"inbox/{PERIOD}_north.xlsx", north)
    write_rows(place.home / f"inbox/{PERIOD}_south.xlsx", south)
    return place.feed(NAMED)


def rejects(place: Place) -> list[tuple[Any, ...]]:
    return [(r.workbook[-10:-5], r.cell, r.column, r.raw, r.reason) for r in place.rejects()]


REJECTS = [
    ("north", "A3", "SKU", "nobody", "unmatched_key"),
    ("north", "B4", "Amount", "1", "duplicate_value"),
    ("north", "B5", "Amount", "n/a", "not_a_number"),
    ("south", "C3", "Artikel", "none", "unmatched_key"),
    ("south", "A4", "Betrag", "1", "duplicate_value"),
    ("south", "A5", "Betrag", "?", "not_a_number"),
]


def test_a_reject_has_the_name_that_its_own_sheet_has(place: Place, named: Feed) -> None:
    place.load(named)
    assert place.facts() == [(1, "1.0000", LOAD), (2, "10.0000", LOAD)]
    assert rejects(place) == REJECTS


def test_corrected_rejects_of_either_layout_are_replayed(place: Place, named: Feed) -> None:
    place.load(named)
    place.replay(named, place.sent_back(named, "back.xlsx", {(3, "SKU"): "B2", (5, "Amount"): 7}))
    assert [row[:2] for row in place.facts()] == [(1, "1.0000"), (1, "7.0000"), (2, "10.0000"), (2, "2.0000")]
    assert rejects(place) == [REJECTS[1], *REJECTS[3:]]


def test_a_check_says_the_names_and_the_keys_without_a_member(place: Place, named: Feed) -> None:
    report = check_load(named, PERIOD, database=place.url, progress=Quiet())
    found = {(r.workbook[-10:-5], r.cell, r.column) for r in report.rejected if r.reason != "duplicate_value"}
    assert found == {row[:3] for row in REJECTS if row[4] != "duplicate_value"}
    assert (report.unmatched["product"].rows, report.rejects["duplicate_value"]) == (2, 2)
