"""Members that are made have what the sheet says of them: the same whichever partition makes them, or none is made."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from factload import check_load, read_report, steps
from factload.check.findings import CheckReport
from factload.errors import FeedError, RowsRefused
from factload.feed.model import Feed
from factload.reports.report import Report
from tests.driver import SteppedLoad
from tests.integration.place import PERIOD, Place
from tests.workbooks import write_rows

HEADER = ("Code", "Customer Name", "Segment", "Credit", "Since", "metric")
ATTRIBUTES = {"name": "Customer Name", "segment": ["Segment", "Group"], "credit": "Credit", "since": "Since"}
SINCE = date(2020, 2, 29)
ROWS_PER_PARTITION = 2_000


@pytest.fixture
def star(module_place: Place) -> Place:
    return module_place


@pytest.fixture(autouse=True)
def empty(star: Place) -> None:
    star.execute(
        "DROP TABLE IF EXISTS fact_sales, dim_customer; DROP SCHEMA IF EXISTS factload, factload_staging CASCADE;"
        "CREATE TABLE dim_customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE,"
        " name varchar(12) NOT NULL, segment text, credit numeric(8,2), since date, inferred boolean NOT NULL DEFAULT false,"
        " token uuid, initial text GENERATED ALWAYS AS (left(name, 1)) STORED);"
        "CREATE TABLE fact_sales (dimension_id bigint NOT NULL REFERENCES dim_customer, metric numeric(18,4) NOT NULL,"
        " load_id text NOT NULL)"
    )


def feed(star: Place, max_rejects: object = "100%", **create: Any) -> Feed:
    dimension = {
        "table": "dim_customer",
        "business_key": "code",
        "surrogate_key": "id",
        "column": "Code",
        "normalize": ["trim", "upper"],
        "unmatched": {"create": {"inferred": "inferred", "attributes": ATTRIBUTES, **create}},
    }
    return star.feed(
        {
            "dimensions": {"customer": dimension},
            "fact.columns.dimension_id.dimension": "customer",
            "max_rejects": max_rejects,
        }
    )


def sheet(
    star: Place, rows: Iterable[tuple[Any, ...]], period: date = PERIOD, header: tuple[str, ...] = HEADER
) -> Path:
    return write_rows(star.home / f"inbox/sales_{period}.xlsx", [header, *rows])


def sold(code: str, name: str | None, segment: str | None = "retail") -> tuple[Any, ...]:
    return (code, name, segment, 12.5, SINCE, 1)


def spread(first: tuple[Any, ...], last: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Three partitions: the first row is in the first, the last row in the third, plain rows between them."""
    between = [sold("Z9", "Zoe") for _ in range(2 * ROWS_PER_PARTITION)]
    return [first, *between, last]


def members(star: Place) -> list[tuple[Any, ...]]:
    return star.rows("SELECT code, name, segment FROM dim_customer ORDER BY code")


def checked(star: Place, told: Feed) -> CheckReport:
    return check_load(told, PERIOD, database=star.url)


def loaded(star: Place, told: Feed, period: date = PERIOD) -> Report:
    return read_report(star.url, star.load(told, period).load_id)


def test_a_member_is_made_with_what_the_sheet_says_and_kept_when_it_says_something_else(star: Place) -> None:
    sheet(star, [sold("a1", "Ada"), sold(" A1 ", "Ada"), ("b2", "Bob", None, None, None, 2)])
    told = feed(star)
    assert checked(star, told).created == {"customer": 2}
    assert loaded(star, told).created == {"customer": 2}
    made = star.rows(
        "SELECT code, name, segment, credit, since, inferred, initial FROM dim_customer ORDER BY 1"
    )
    assert made == [
        ("A1", "Ada", "retail", Decimal("12.50"), SINCE, True, "A"),
        ("B2", "Bob", None, None, None, True, "B"),
    ]
    later = date(2026, 11, 6)
    sheet(star, [sold("A1", "Augusta", "public"), sold("C3", "Cleo")], later)
    assert loaded(star, told, later).created == {"customer": 1}
    assert members(star) == [("A1", "Ada", "retail"), ("B2", "Bob", None), ("C3", "Cleo", "retail")]


def test_a_cell_that_its_column_does_not_hold_makes_its_row_a_reject_and_no_member(star: Place) -> None:
    sheet(
        star, [sold("A1", None), sold("B2", "Bartholomew the Third"), ("C3", "Cleo", None, "much", None, 1)]
    )
    told = feed(star)
    for report in (checked(star, told), loaded(star, told)):
        assert report.rejects == {"blank_value": 1, "text_too_long": 1, "not_a_number": 1}
    assert members(star) == []


@pytest.mark.parametrize(
    ("disagree", "names"), [("reject", []), ("first", ["Ada", "Ada"]), ("last", ["Augusta", "Augusta"])]
)
def test_of_rows_that_disagree_what_the_feed_says_counts_whichever_partition_comes_first(
    star: Place, disagree: str, names: list[str]
) -> None:
    sheet(star, [*spread(sold("A1", "Ada"), sold("a1", "Augusta")), sold("B2", None)])
    told = feed(star, disagree=disagree)
    seen = checked(star, told)
    opening = partial(steps.open_load, told, PERIOD)
    stepped = SteppedLoad(opening, told, star.url).until("load_partition")
    last_first = [name for name in stepped.steps if name.startswith("load_partition")][::-1]
    assert len(last_first) == 3
    for name in last_first:
        stepped.run(name)
    stepped.go_on("reconcile")
    report = read_report(star.url, stepped.load.load_id)
    found = star.rows(
        "SELECT name FROM fact_sales JOIN dim_customer ON dimension_id = id WHERE code = 'A1' ORDER BY 1"
    )
    assert [name for (name,) in found] == names
    rejected = {"attributes_disagree": 2} if disagree == "reject" else {}
    assert report.rejects == seen.rejects == {"blank_value": 1, **rejected}
    assert report.created == seen.created == {"customer": 1 if disagree == "reject" else 2}
    said = [warning for warning in report.warnings if "disagree" in warning]
    assert said == [warning for warning in seen.warnings if "disagree" in warning]
    if disagree == "reject":
        cells = star.rows(
            "SELECT cell, \"column\", raw FROM factload.rejects WHERE reason = 'attributes_disagree' ORDER BY 1"
        )
        shown = "Customer Name, Segment, Credit, Since"
        assert cells == [
            ("B2", shown, "Ada, retail, 12.50, 2020-02-29"),
            ("B4003", shown, "Augusta, retail, 12.50, 2020-02-29"),
        ]
        assert said == []
    else:
        row = "2" if disagree == "first" else "4,003"
        [warning] = said
        assert warning == (
            f"rows disagree about 1 member of dimension customer; the {disagree} row of each counts: Facts row {row}"
        )


def test_rows_that_are_rejects_say_nothing_of_a_member(star: Place) -> None:
    sheet(star, [("A1", "Ada", "retail", None, None, "no number"), sold("A1", "Augusta")])
    assert loaded(star, feed(star)).rejects == {"not_a_number": 1}
    assert members(star) == [("A1", "Augusta", "retail")]


def test_null_is_something_else_than_a_text_and_a_null_is_like_another(star: Place) -> None:
    sheet(
        star,
        [sold("A1", "Ada", None), sold("A1", "Ada", None), sold("B2", "Bob", None), sold("B2", "Bob", "=")],
    )
    assert loaded(star, feed(star)).rejects == {"attributes_disagree": 2}
    assert members(star) == [("A1", "Ada", None)]


def test_partitions_and_loads_that_ask_at_once_make_each_member_once_and_whole(star: Place) -> None:
    keys = [f"K{number:04}" for number in range(1_500)]
    rows = [sold(key, key.lower()) for _ in range(5) for key in keys]
    days = [date(2026, 11, day) for day in (1, 2)]
    told = feed(star)
    runs = []
    for day in days:
        sheet(star, rows, day)
        runs.append(SteppedLoad(partial(steps.open_load, told, day), told, star.url).until("load_partition"))
    jobs = [(run, name) for name in runs[0].steps if name.startswith("load_partition") for run in runs]
    assert len(jobs) == 8
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda job: job[0].call(job[1])(), jobs))
    found = star.rows("SELECT code, name FROM dim_customer ORDER BY 1")
    assert found == [(key, key.lower()) for key in keys]
    made = star.rows("SELECT sum((created_members->>'customer')::int) FROM factload.partitions")
    assert made == [(1_500,)]


def test_a_load_that_is_held_leaves_whole_members_and_the_next_one_takes_them(star: Place) -> None:
    sheet(star, [sold("A1", "Ada"), sold("", "Bob")])
    told = feed(star, max_rejects=0)
    with pytest.raises(Exception, match="rejected"):
        star.load(told)
    assert members(star) == [("A1", "Ada", "retail")]
    assert star.rows("SELECT count(*) FROM fact_sales") == [(0,)]
    sheet(star, [sold("A1", "Ada")])
    star.load(told)
    assert star.rows("SELECT count(*) FROM fact_sales") == [(1,)]


def test_rows_that_agree_once_one_is_corrected_are_loaded(star: Place) -> None:
    sheet(star, [sold("A1", "Ada"), sold("A1", "Augusta"), sold("B2", "Bob")])
    told = feed(star)
    load_id = star.load(told).load_id
    assert members(star) == [("B2", "Bob", "retail")]
    star.replay(told, star.sent_back(told, "sent.xlsx", {(row, "Customer Name"): "Ada" for row in (2, 3)}))
    assert members(star) == [("A1", "Ada", "retail"), ("B2", "Bob", "retail")]
    assert read_report(star.url, load_id).rows["published"] == 3


def test_what_the_database_refuses_of_a_member_is_told_and_leaves_none(star: Place) -> None:
    star.execute("ALTER TABLE dim_customer ADD CONSTRAINT known CHECK (segment IN ('retail', 'public'))")
    sheet(star, [sold("A1", "Ada"), sold("B2", "Bob", "trade")])
    with pytest.raises(RowsRefused, match="known"):
        star.load(feed(star))
    assert members(star) == []


WRONG = [
    ({"nme": "Segment"}, "no column nme, which dimensions.customer.unmatched.create.attributes.nme names.*Did you mean name?"),
    ({"name": "Customer Name", "token": "Segment"}, "dim_customer.token is uuid. Expected: text, varchar"),
    ({"name": "Customer Name", "initial": "Segment"}, "dim_customer.initial is filled by the database itself"),
    ({"segment": "Segment"}, "would have no name: the column has no default and may not be null"),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "told"), WRONG, ids=[told[:40] for _, told in WRONG])
def test_columns_that_the_sheet_can_not_fill_are_told_before_anything_is_read(
    star: Place, attributes: dict[str, str], told: str
) -> None:
    sheet(star, [])
    wrong = feed(star, attributes=attributes)
    with pytest.raises(FeedError, match=told):
        star.load(wrong)
    assert told.split("Did", maxsplit=1)[0].strip(".* ") in str(checked(star, wrong).problems[0])


@pytest.mark.parametrize(
    ("header", "missing"),
    [(("Code", "Name", "metric"), "Customer Name"), (("Key", "Customer Name", "metric"), "Code")],
)
def test_a_column_that_the_sheet_lacks_is_told_before_anything_is_loaded(
    star: Place, header: tuple[str, ...], missing: str
) -> None:
    sheet(star, [("A1", "Ada", 1)], header=header)
    [problem] = checked(star, feed(star, attributes={"name": "Customer Name"})).problems
    assert f"has no column '{missing}'" in str(problem)
