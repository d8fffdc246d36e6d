"""`factload check` says of every row and table what the run then does: never ready where it is held or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from factload.errors import FactloadError
from factload.pipeline import run_load
from factload.progress import Quiet
from factload.reports.report import read_report
from tests.feeds import ABSENT
from tests.integration.commands import report
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"
REJECTS = {"max_rejects": "100%"}
UPSERT = {"fact.mode": {"upsert": ["dimension_id"]}, "fact.load_column": ABSENT}
OPTIONAL = {"fact.columns.metric.required": ABSENT}
UNIQUE = {"fact.columns.metric.unique": True}
ROWS = [("A1", 1), ("B2", 2), ("A1", 1), ("B2", 3), ("00123", None), ("A1", 4)]


def both(place: Place, changes: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], Any]:
    """What a check says, and what the load comes to."""
    feed = place.feed(changes)
    _, checked = report()
    try:
        run_load(feed, PERIOD, database=place.url, progress=Quiet())
    except FactloadError as error:
        return checked, error
    return checked, read_report(place.url, LOAD)


TABLES = {
    "a column that may not be null": ("ALTER TABLE fact_sales ALTER metric SET NOT NULL", {}, {"blank_value": 1}),
    "a unique index": ("CREATE UNIQUE INDEX ON fact_sales (dimension_id, metric)", {}, {"blank_value": 1, "not_unique": 1}),
    "a unique index with the load column": (
        "CREATE UNIQUE INDEX ON fact_sales (load_id, dimension_id)", {}, {"blank_value": 1, "not_unique": 3}),
    "a deferred unique constraint": (
        "ALTER TABLE fact_sales ADD UNIQUE (dimension_id, metric) DEFERRABLE INITIALLY DEFERRED", {}, {"blank_value": 1, "not_unique": 1}),
    "two unique indexes": (
        "CREATE UNIQUE INDEX ON fact_sales (metric); CREATE UNIQUE INDEX ON fact_sales (dimension_id)", {}, {"blank_value": 1, "not_unique": 3}),
    "a unique index over some rows": ("CREATE UNIQUE INDEX ON fact_sales (dimension_id) WHERE metric > 100", {}, {"blank_value": 1}),
    "an upsert": (
        "ALTER TABLE fact_sales ALTER load_id DROP NOT NULL; CREATE UNIQUE INDEX ON fact_sales (dimension_id)", UPSERT, {"blank_value": 1, "duplicate_key": 3}),
    "a column that the feed calls unique": (
        "SELECT 1", UNIQUE, {"blank_value": 1, "duplicate_value": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("change", "of_feed", "rejects"), TABLES.values(), ids=TABLES)
def test_rows_that_the_table_can_t_take_are_rejects_in_both(
    place: Place, change: str, of_feed: dict[str, Any], rejects: dict[str, int]
) -> None:
    place.execute(change)
    place.workbook(ROWS)
    optional = {} if of_feed is UNIQUE else OPTIONAL
    place.execute("ALTER TABLE fact_sales ALTER metric SET NOT NULL")
    checked, loaded = both(place, {**REJECTS, **of_feed, **optional})
    assert (checked["state"], loaded.state) == ("ready", "published")
    assert checked["rejects"] == loaded.rejects == rejects
    assert {**checked["rows"], "published": checked["rows"]["staged"]} == loaded.rows
    totals = [
        {name: t["source"] for name, t in of.items()}
        for of in (checked["control_totals"], loaded.control_totals)
    ]
    assert totals[0] == totals[1]


@pytest.mark.parametrize("what", ["duplicates", "blanks"])
def test_rejects_that_only_the_table_asks_for_hold_the_load(place: Place, what: str) -> None:
    place.execute("CREATE UNIQUE INDEX ON fact_sales (dimension_id)")
    place.workbook([("A1", 1), ("A1", 2)] if what == "duplicates" else [("A1", None)])
    checked, error = both(place, {"max_rejects": 0, **OPTIONAL})
    assert (checked["state"], checked["error"]["code"], error.code) == (
        "held", "too_many_rejects", "too_many_rejects")  # fmt: skip


def test_rows_without_a_value_are_no_duplicates_unless_the_index_says_so(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ALTER metric DROP NOT NULL")
    place.execute("CREATE UNIQUE INDEX by_metric ON fact_sales (metric)")
    place.workbook([("A1", None), ("B2", None)])
    checked, loaded = both(place, OPTIONAL)
    assert (checked["rejects"], loaded.rejects) == ({}, {})
    place.execute("DELETE FROM fact_sales")
    place.execute("DROP INDEX by_metric; CREATE UNIQUE INDEX ON fact_sales (metric) NULLS NOT DISTINCT")
    feed = place.feed(OPTIONAL)
    run_load(feed, PERIOD, database=place.url, reload=True, progress=Quiet())
    assert read_report(place.url, LOAD).rejects == {"not_unique": 1}
    assert report()[1]["rejects"] == {"not_unique": 1}


def test_members_that_would_be_made_are_told_apart(place: Place) -> None:
    place.execute("ALTER TABLE dim_product ALTER primary_synthetic_key RESTART WITH 100")
    place.execute("CREATE UNIQUE INDEX ON dim_product (business_key)")
    place.execute("CREATE UNIQUE INDEX ON fact_sales (dimension_id)")
    place.workbook([("new 1", 1), ("new 2", 2), ("A1", 3), ("new 1", 4)])
    checked, loaded = both(place, {"dimensions.product.unmatched": "create"})
    assert checked["rejects"] == loaded.rejects == {"not_unique": 1}


TARGETS = {
    "a view that takes no rows": ("CREATE VIEW target AS SELECT DISTINCT * FROM fact_sales", "view_not_updatable"),
    "a view with a computed column": (
        "CREATE VIEW target AS SELECT dimension_id, metric + 0 AS metric, load_id FROM fact_sales", "view_not_updatable"),
    "a materialized view": ("CREATE MATERIALIZED VIEW target AS SELECT * FROM fact_sales", "fact_not_a_table"),
}  # fmt: skip


@pytest.mark.parametrize(("ddl", "code"), TARGETS.values(), ids=TARGETS)
def test_a_target_that_takes_no_rows_is_told_before_anything_is_read(
    place: Place, ddl: str, code: str
) -> None:
    place.execute(ddl)
    place.workbook([("A1", 1)])
    checked, error = both(place, {"fact.table": "target"})
    assert (checked["error"]["code"], error.code) == (code, code)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("ALTER TABLE fact_sales ADD UNIQUE (dimension_id) DEFERRABLE", "is deferrable"),
        ("CREATE UNIQUE INDEX i ON fact_sales (dimension_id); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass", "is not valid"),
    ],
)  # fmt: skip
def test_an_index_that_no_upsert_can_use_is_told_before_anything_is_read(
    place: Place, index: str, said: str
) -> None:
    place.execute("ALTER TABLE fact_sales ALTER load_id DROP NOT NULL")
    place.execute(index)
    place.workbook([("A1", 1)])
    checked, error = both(place, UPSERT)
    assert (checked["error"]["code"], error.code) == ("upsert_not_unique", "upsert_not_unique")
    assert said in str(error)


def test_a_changed_workbook_after_append_once_is_told_by_the_check(place: Place) -> None:
    append = {"fact.mode": "append_once"}
    place.workbook([("A1", 1)])
    both(place, append)
    assert report()[1]["state"] == "ready"  # the same again does nothing
    place.workbook([("A1", 2)])
    checked, error = both(place, append)
    assert (checked["error"]["code"], error.code) == ("appended_already", "appended_already")


def test_rows_that_would_stay_in_another_table_are_told_by_the_check(place: Place) -> None:
    place.execute("CREATE TABLE other (LIKE fact_sales INCLUDING ALL)")
    place.workbook([("A1", 1)])
    both(place)
    checked, error = both(place, {"fact.table": "other"})
    assert (checked["error"]["code"], error.code) == ("facts_left_behind", "facts_left_behind")
