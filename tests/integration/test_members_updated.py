"""`on_change: update`: members have what the newest period says of them, from the moment on in which its rows are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from factload import read_report, steps
from factload.errors import FeedError, ReconciliationError, RowsRefused
from factload.feed.model import Feed
from factload.reports.report import Report
from tests.chaos.faulty_process import Fault
from tests.chaos.strikes import killed
from tests.driver import SteppedLoad
from tests.integration.changed_members import POINTS, problem_of, undo
from tests.integration.place import Place
from tests.workbooks import write_rows

HEADER = ("Code", "Customer Name", "Weight", "Since", "Big", "metric")
ATTRIBUTES = {"name": "Customer Name", "weight": "Weight", "since": "Since", "number": "Big"}
MAY, JUNE, JULY = (date(2026, month, 1) for month in (5, 6, 7))
DIMENSION = """
DROP SCHEMA IF EXISTS factload, factload_staging CASCADE; DROP TABLE IF EXISTS fact_sales, dim_customer;
CREATE TABLE dim_customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE,
    name varchar(12), weight double precision, since date, number boolean, remark text DEFAULT 'mine');
"""
FACT = """
CREATE TABLE fact_sales (dimension_id bigint NOT NULL REFERENCES dim_customer, metric numeric(18,4) NOT NULL,
    load_id text NOT NULL)
"""
MODES: dict[str, tuple[str, Any]] = {
    "replace": (FACT, "replace"),
    "exchange": (FACT + " PARTITION BY LIST (load_id)", "exchange"),
    "upsert": (FACT + "; CREATE UNIQUE INDEX ON fact_sales (metric)", {"upsert": ["metric"]}),
}


@pytest.fixture
def star(module_place: Place) -> Place:
    module_place.execute(DIMENSION + FACT)
    return module_place


def feed(star: Place, mode: Any = "replace", fact: dict[str, Any] | None = None, **create: Any) -> Feed:
    told = {"attributes": ATTRIBUTES, "on_change": "update", **create}
    dimension = {
        "table": "dim_customer",
        "business_key": "code",
        "surrogate_key": "id",
        "column": "Code",
        "normalize": ["trim", "upper"],
        "unmatched": {"create": told},
    }
    changes: dict[str, Any] = {
        "dimensions": {"customer": dimension},
        "fact.columns.dimension_id.dimension": "customer",
        "fact.mode": mode,
        "max_rejects": "50%",
    }
    return star.feed(changes | (fact or {}))


def sold(code: str, name: str | None, weight: float | None = 0.1, metric: object = 1) -> tuple[Any, ...]:
    return (code, name, weight, date(2020, 2, 29), True, metric)


def sheet(star: Place, period: date, rows: Iterable[tuple[Any, ...]]) -> Path:
    return write_rows(star.home / f"inbox/sales_{period}.xlsx", [HEADER, *rows])


def load(star: Place, told: Feed, period: date, *rows: tuple[Any, ...]) -> Report:
    sheet(star, period, rows)
    return read_report(star.url, star.load(told, period).load_id)


def names(star: Place) -> dict[str, str | None]:
    return dict(star.rows("SELECT code, name FROM dim_customer ORDER BY code"))


@pytest.mark.parametrize("mode", MODES)
def test_members_have_what_the_sheet_says_once_its_rows_are_seen(module_place: Place, mode: str) -> None:
    star = module_place
    star.execute(DIMENSION + MODES[mode][0])
    told = feed(star, MODES[mode][1])
    first = load(
        star, told, MAY, sold("a1", "Ada"), sold("B2", "Bob", metric=2), sold("C3", "Cleo", metric=3)
    )
    assert (first.created, first.updated, first.left) == ({"customer": 3}, {"customer": 0}, {})
    before = star.rows("SELECT id, code FROM dim_customer ORDER BY 1")
    later = load(
        star,
        told,
        JUNE,
        sold(" A1", "Augusta"),
        sold("B2", None, None, metric=2),
        sold("C3", "Cleo", metric=3),
    )
    assert (later.created, later.updated, later.left) == ({}, {"customer": 2}, {})
    assert star.rows("SELECT id, code FROM dim_customer ORDER BY 1") == before
    assert star.rows("SELECT code, name, weight, since, number, remark FROM dim_customer ORDER BY 1") == [
        ("A1", "Augusta", 0.1, date(2020, 2, 29), True, "mine"),
        ("B2", None, None, date(2020, 2, 29), True, "mine"),
        ("C3", "Cleo", 0.1, date(2020, 2, 29), True, "mine"),
    ]
    assert star.rows("SELECT relname FROM pg_class WHERE relname LIKE 'members%'") == []


def test_a_load_that_is_not_published_changes_no_member_and_the_same_content_changes_none_twice(
    star: Place,
) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"))
    with pytest.raises(RowsRefused, match="rejected"):
        load(star, told, JUNE, sold("A1", "Augusta"), sold("", "Bob"), sold("", "Bob"))
    assert names(star) == {"A1": "Ada"}
    assert load(star, told, JUNE, sold("A1", "Augusta")).updated == {"customer": 1}
    assert steps.open_load(told, JUNE, database=star.url).already_published
    opening = partial(steps.open_load, told, JUNE, reload=True)
    SteppedLoad(opening, told, star.url).until("publish").go_on("publish")
    assert read_report(star.url, told.load_id(JUNE)).updated == {"customer": 0}
    assert names(star) == {"A1": "Augusta"}


def test_an_older_period_that_comes_later_leaves_what_newer_rows_say_and_counts_it(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"), sold("B2", "Bob"))
    load(star, told, JULY, sold("A1", "Ada"), sold("C3", "Cleo"))
    older = load(star, told, JUNE, sold("A1", "Augusta"), sold("B2", "Boris"), sold("C3", "Clara"))
    assert (older.updated, older.left) == ({"customer": 1}, {"customer": 2})
    assert names(star) == {"A1": "Ada", "B2": "Boris", "C3": "Cleo"}
    assert any("2 members of dimension customer left as before" in w for w in older.warnings)


def test_what_a_person_changed_is_brought_back_to_what_the_sheet_says(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"))
    stepped = ready_to_publish(star, told, JUNE, sold("A1", "Ada"))
    star.execute("UPDATE dim_customer SET name = 'by hand'")
    stepped.go_on("publish")
    assert names(star) == {"A1": "Ada"}
    assert read_report(star.url, stepped.load.load_id).updated == {"customer": 1}


def ready_to_publish(star: Place, told: Feed, period: date, *rows: tuple[Any, ...]) -> SteppedLoad:
    sheet(star, period, rows)
    return SteppedLoad(partial(steps.open_load, told, period), told, star.url).until("publish")


def test_rows_that_disagree_and_rows_that_are_rejects_change_no_member(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"), sold("B2", "Bob"), sold("C3", "Cleo"))
    rows = [sold("A1", "Augusta"), sold("a1", "Amy"), sold("B2", "Boris", metric="none"), sold("C3", "Clara")]
    report = load(star, told, JUNE, *rows, *[sold("C3", "Clara") for _ in range(3)])
    assert report.rejects == {"attributes_disagree": 2, "not_a_number": 1}
    assert names(star) == {"A1": "Ada", "B2": "Bob", "C3": "Clara"}
    assert load(star, feed(star, disagree="last"), JUNE, *rows).updated == {"customer": 1}
    assert names(star)["A1"] == "Amy"


def test_a_row_that_turns_out_to_be_a_duplicate_changes_no_member(module_place: Place) -> None:
    star = module_place
    star.execute(DIMENSION + MODES["upsert"][0])
    told = feed(star, MODES["upsert"][1])
    load(star, told, MAY, sold("A1", "Ada", metric=1), sold("B2", "Bob", metric=2))
    report = load(star, told, JUNE, sold("A1", "Augusta", metric=1), sold("B2", "Boris", metric=1))
    assert (report.rejects, report.updated) == ({"duplicate_key": 1}, {"customer": 1})
    assert names(star) == {"A1": "Augusta", "B2": "Bob"}


def test_processes_that_publish_at_once_end_with_what_the_newest_period_says(star: Place) -> None:
    told = feed(star)
    keys = [f"K{number:03}" for number in range(200)]
    periods = [date(2026, month, 1) for month in range(1, 9)]
    runs = [
        ready_to_publish(star, told, period, *(sold(key, f"{key} {period:%b}") for key in keys))
        for period in periods
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda run: run.run("publish"), runs))
    assert names(star) == {key: f"{key} Aug" for key in keys}
    for run, period in zip(runs, periods, strict=True):
        report = read_report(star.url, run.load.load_id)
        assert report.updated["customer"] + report.left.get("customer", 0) <= len(keys), period


def test_a_publication_that_is_killed_leaves_members_and_rows_as_they_were_and_the_next_changes_both(
    star: Place, points: Iterable[Fault] = POINTS
) -> None:
    told = feed(star)
    load(star, told, JUNE, sold("A1", "name", metric=0))
    for number, point in enumerate(points, 1):
        stepped = ready_to_publish(star, told, JUNE, sold("A1", f"name {number}", metric=number))
        before = seen(star)
        was_killed = killed(stepped.call("publish"), point)
        after = [(f"name {number}", number)]
        assert seen(star) in (before, after)
        assert was_killed or seen(star) == after
        stepped.go_on("publish")
        assert seen(star) == after
        if not was_killed:
            return


def seen(star: Place) -> list[tuple[Any, ...]]:
    return star.rows("SELECT name, metric::int FROM fact_sales JOIN dim_customer ON dimension_id = id")


@pytest.mark.parametrize("mode", ["replace", "exchange"])
def test_an_undo_brings_back_what_members_had_and_the_undo_of_it_what_they_got(
    module_place: Place, mode: str
) -> None:
    star = module_place
    star.execute(DIMENSION + MODES[mode][0])
    told = feed(star, mode, {"keep_previous": "7d"})
    load(star, told, JUNE, sold("A1", "Augusta"), sold("B2", "Bob"))
    assert load(star, told, JUNE, sold("A1", "Amy"), sold("B2", "Bob")).updated == {"customer": 1}
    for expected in ("Augusta", "Amy", "Augusta"):
        assert undo(star, told, JUNE).updated == {"customer": 1}
        assert names(star) == {"A1": expected, "B2": "Bob"}


def test_an_undo_leaves_members_that_were_changed_since_and_says_so(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, *(sold(code, "old") for code in ("A1", "B2", "C3")))
    load(star, told, JUNE, *(sold(code, "new") for code in ("A1", "B2", "C3")))
    star.execute("UPDATE dim_customer SET name = 'by hand' WHERE code = 'A1'")
    load(star, told, JULY, sold("B2", "new"))
    report = undo(star, told, JUNE)
    assert names(star) == {"A1": "by hand", "B2": "new", "C3": "old"}
    assert (report.state, report.updated, report.left) == ("undone", {"customer": 1}, {"customer": 2})
    assert any("2 members of dimension customer" in warning for warning in report.warnings)


def test_an_undo_by_a_feed_that_has_the_dimension_no_more_is_refused(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"))
    load(star, told, JUNE, sold("A1", "Augusta"))
    with pytest.raises(FeedError, match="brought members of dim_customer up to date"):
        undo(star, star.feed(), JUNE)
    assert names(star) == {"A1": "Augusta"}


def test_a_trigger_that_keeps_a_member_from_its_values_stops_the_publication(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"))
    star.execute(
        "CREATE OR REPLACE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.name := upper(NEW.name); RETURN NEW; END';"
        "CREATE TRIGGER shout BEFORE UPDATE ON dim_customer FOR EACH ROW EXECUTE FUNCTION shout()"
    )
    with pytest.raises(ReconciliationError, match=r"1 members of dim_customer.*0 of them.*triggers"):
        load(star, told, JUNE, sold("A1", "Augusta"))
    assert names(star) == {"A1": "Ada"}
    assert star.rows("SELECT count(*) FROM fact_sales") == [(1,)]


def test_a_user_needs_update_on_the_columns_of_attributes_and_no_more(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"))
    user = f"clerk_{star.engine.url.database}"
    star.execute(
        f"CREATE ROLE {user} LOGIN; GRANT SELECT, INSERT, DELETE ON fact_sales TO {user};"
        f"GRANT SELECT, INSERT ON dim_customer TO {user}; GRANT USAGE, CREATE ON SCHEMA factload_staging TO {user};"
        f"GRANT USAGE ON SCHEMA factload TO {user}; GRANT ALL ON ALL TABLES IN SCHEMA factload TO {user}"
    )
    clerk = Place(star.home, star.engine.url.set(username=user).render_as_string(), star.engine)
    try:
        with pytest.raises(FeedError, match=f"user {user} lacks UPDATE on dim_customer"):
            load(clerk, told, JUNE, sold("A1", "Augusta"))
        star.execute(f"GRANT UPDATE (name, weight, since, number) ON dim_customer TO {user}")
        assert load(clerk, told, JUNE, sold("A1", "Augusta")).updated == {"customer": 1}
    finally:
        star.execute(f"DROP OWNED BY {user} CASCADE; DROP ROLE {user}")


def without_unique(star: Place) -> Feed:
    star.execute(
        "ALTER TABLE fact_sales DROP CONSTRAINT fact_sales_dimension_id_fkey;"
        "ALTER TABLE dim_customer DROP CONSTRAINT dim_customer_pkey"
    )
    return feed(star)


WRONG: list[tuple[Callable[[Place], Feed], str]] = [
    (lambda star: feed(star, on_change="new_version"), "`on_change: new_version` goes with `as_of`"),
    (lambda star: feed(star, on_change="replace"), "`on_change` is `keep`, `update` or `new_version`"),
    (lambda star: feed(star, attributes={}), "`attributes` is empty"),
    (lambda star: feed(star, {"upsert": ["metric"]}, {"fact.load_column": None}), "needs `fact.load_column`"),
    (without_unique, "dim_customer has no unique index on its surrogate key"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "words"), WRONG, ids=[words[:30] for _, words in WRONG])
def test_what_can_not_be_brought_up_to_date_is_told_before_anything_is_read(
    star: Place, told: Callable[[Place], Feed], words: str
) -> None:
    sheet(star, MAY, [])
    assert words in problem_of(star, told, MAY)
