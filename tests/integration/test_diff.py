"""`factload diff`: what publishing would change, drawn as tables: the rows before, the workbook, what is said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from factload.check.load import check_load
from factload.diff.of_load import staged_among, staged_load
from factload.difference import diff_load
from factload.errors import FeedError, RowsRefused
from factload.feed.model import Feed
from factload.reports.report import read_report
from tests.integration.commands import factload, report
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"
Rows = Sequence[tuple[Any, ...]]


def differing(
    place: Place, before: Rows, after: Rows, feed: Feed | None = None, period: date = PERIOD
) -> Any:
    """What `diff` says of a workbook with the rows ``after`` where ``before`` are published."""
    feed = feed or place.feed()
    if before:
        place.workbook(before, period)
        place.load(feed, period)
    place.workbook(after, period)
    return diff_load(feed, period, database=place.url)


def require_same_in_a_check(
    place: Place, found: Any, feed: Feed | None = None, period: date = PERIOD
) -> None:
    """A check, which stages nothing, says of every row what `diff` says."""
    checked = check_load(feed or place.feed(), period, database=place.url)
    assert (checked.state, checked.warnings) == ("ready", [])
    assert checked.difference == replace(found, state="")


@pytest.fixture(scope="module")
def days(module_place: Place) -> tuple[Place, Iterator[date]]:
    """A place of the module's own, and a day of its own for each test."""
    return module_place, (date(2026, 1, day) for day in range(1, 32))


@pytest.mark.parametrize(
    ("before", "after", "added", "removed", "changed", "totals"),
    [
        ([], [("A1", 1)], 1, 0, 0, ("0", "1.0000")),
        ([("A1", 1)], [("A1", 2)], 0, 0, 1, ("1.0000", "2.0000")),
        ([("A1", 1)], [("B2", 1)], 1, 1, 0, ("1.0000", "1.0000")),
        ([("A1", 1), ("B2", 2)], [("B2", 2), ("A1", 1), ("A1", 1)], 1, 0, 0, ("3.0000", "4.0000")),
        ([("A1", 1), ("A1", 1), ("A1", 1)], [("A1", 1)], 0, 2, 0, ("3.0000", "1.0000")),
        ([("A1", 1), ("A1", 2)], [("A1", 2), ("A1", 3)], 0, 0, 1, ("3.0000", "5.0000")),
        ([("A1", 1), ("A1", 2)], [("A1", 3)], 0, 1, 1, ("3.0000", "3.0000")),
        ([("A1", 1), ("B2", 2)], [("A1", 2), ("B2", 1)], 0, 0, 2, ("3.0000", "3.0000")),
        ([("A1", 1), ("B2", 2)], [("A1", 1), ("nobody", 2)], 0, 1, 0, ("3.0000", "1.0000")),
        ([("A1", 5), ("B2", -5)], [("A1", -5), ("B2", 5)], 0, 0, 2, ("0.0000", "0.0000")),
    ],
)
def test_rows_are_added_removed_or_changed_by_their_key(
    days: tuple[Place, Iterator[date]],
    before: Rows,
    after: Rows,
    added: int,
    removed: int,
    changed: int,
    totals: tuple[str, str],
) -> None:
    place, periods = days
    period = next(periods)
    found = differing(place, before, after, period=period)
    assert (found.added, found.removed, found.changed) == (added, removed, changed)
    assert found.totals == {"metric": totals}
    assert (found.before, found.unchanged) == (len(before), len(before) - removed - changed)
    assert sum(load == f"sales@{period}" for _, _, load in place.facts()) == len(before)
    assert found.state == "reconciled"
    if before and len(after) > 1:
        require_same_in_a_check(place, found, period=period)


def test_staged_loads_are_found_among_many_as_each_alone(place: Place) -> None:
    feed, days = place.feed(), [PERIOD.replace(day=day) for day in (1, 2, 3, 4)]
    for day in days[:3]:
        place.workbook([("A1", 1)], day)
    place.load(feed, days[0])
    loads = [diff_load(feed, day, database=place.url).load_id for day in days[1:3]]
    asked = [feed.load_id(day) for day in days]
    with place.engine.connect() as connection:
        gone = staged_load(connection, loads[0])
        assert gone is not None
        assert staged_among(connection, asked) == set(loads)
        place.execute(f"DROP TABLE factload_staging.{gone.staging_table}")
        alone = {load_id for load_id in asked if staged_load(connection, load_id) is not None}
        assert staged_among(connection, asked) == alone == {loads[1]}
        assert staged_among(connection, []) == set()


def test_the_largest_changes_come_first_each_with_its_cells(place: Place) -> None:
    before = [("A1", number) for number in range(1, 14)] + [("B2", 5)]
    after = [("A1", number * 10) for number in range(1, 14)] + [("B2", 500)]
    found = differing(place, before, after)
    assert len(found.largest) == 10
    first = found.largest[0]
    assert (first.kind, first.key, first.values) == (
        "changed",
        {"dimension_id": "B2"},
        {"metric": ("5.0000", "500.0000")},
    )
    assert (first.workbook, first.sheet, first.row) == ("inbox/sales_2026-11-05.xlsx", "Facts", 15)
    assert first.cells == {"dimension_id": "A15", "metric": "B15"}
    require_same_in_a_check(place, found)


def test_what_is_no_number_in_the_fact_table_is_the_largest_change(
    days: tuple[Place, Iterator[date]],
) -> None:
    place, periods = days
    period = next(periods)
    place.workbook([("A1", 1), ("B2", 2)], period)
    place.load(period=period)
    place.execute(f"UPDATE fact_sales SET metric = 'NaN' WHERE metric = 1 AND load_id = 'sales@{period}'")
    place.workbook([("A1", 1), ("B2", 9)], period)
    found = check_load(place.feed(), period, database=place.url).difference
    assert found is not None
    assert found.totals == {"metric": ("NaN", "10.0000")}
    assert [change.values for change in found.largest] == [
        {"metric": ("NaN", "1.0000")},
        {"metric": ("2.0000", "9.0000")},
    ]


def test_members_that_vanish_are_named_by_their_business_key(place: Place) -> None:
    found = differing(place, [("A1", 1), ("B2", 2), ("00123", 3)], [("A1", 1)])
    [(column, gone)] = found.vanishing.items()
    assert (column, gone.members, gone.first) == ("dimension_id", 2, ("B2", "00123"))
    require_same_in_a_check(place, found)


def test_what_a_check_s_report_keeps_of_changes_holds_no_value(place: Place) -> None:
    differing(place, [("A1", 1), ("B2", 2)], [("A1", 3)])
    _, checked = report()
    assert checked["difference"]["rows"]["changed"] == 1
    assert checked["difference"]["vanishing"] == {"dimension_id": {"members": 1}}
    [change] = [each for each in checked["difference"]["largest"] if each["kind"] == "changed"]
    assert (change["columns"], change["cells"]) == (["metric"], {"dimension_id": "A2", "metric": "B2"})
    told = json.dumps(checked["difference"]["largest"])
    assert [value for value in ('"A1"', "1.0000", '"3.0000"') if value in told] == []
    assert (
        "changed  dimension_id A1  metric 1.0000 → 3.0000"
        in factload("check", "sales", "--period", "2026-11-05").stdout
    )


@pytest.mark.parametrize("why", ["a standby", "members to come"])
def test_where_rows_can_not_be_compared_a_check_says_so_and_goes_on(place: Place, why: str) -> None:
    place.execute("CREATE UNIQUE INDEX ON dim_product (business_key)")
    feed = place.feed({"dimensions.product.unmatched": "create"})
    place.workbook([("A1", 1)])
    place.load(feed)
    place.workbook([("A1", 2)] if why == "a standby" else [("new", 2)])
    url = place.url
    if why == "a standby":
        url += "&" if "?" in url else "?"
        url += "options=-c%20default_transaction_read_only%3Don"
    checked = check_load(feed, PERIOD, database=url)
    assert (checked.state, checked.difference) == ("ready", None)
    [warning] = checked.warnings
    assert warning.startswith("what publishing would change is told in numbers, and not row by row: ")
    assert checked.change is not None


def test_rows_that_moved_within_the_workbook_are_the_same_rows(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ADD source_row integer")
    feed = place.feed({"fact.columns.source_row": {"provenance": "row"}})
    found = differing(place, [("A1", 1), ("B2", 2)], [("B2", 2), ("A1", 1)], feed)
    assert (found.added, found.removed, found.changed) == (0, 0, 0)
    assert "not compared: source_row" in found.notes[0]


def test_rows_are_paired_by_what_the_feed_says(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ADD order_id integer")
    feed = place.feed(
        {"fact.columns.order_id": {"column": "metric", "type": "integer"}, "compare_by": ["order_id"]}
    )
    found = differing(place, [("A1", 1), ("B2", 2)], [("B2", 1), ("A1", 2)], feed)
    assert (found.key, found.changed, found.added) == (("order_id",), 2, 0)
    with pytest.raises(FeedError, match=r"compare_by: names 'ordr_id'.*Did you mean order_id\?"):
        place.feed(
            {"fact.columns.order_id": {"column": "metric", "type": "integer"}, "compare_by": ["ordr_id"]}
        )


def test_an_upsert_takes_no_rows_away(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ADD UNIQUE (dimension_id)")
    feed = place.feed({"fact.mode": {"upsert": ["dimension_id"]}})
    found = differing(place, [("A1", 1), ("B2", 2)], [("A1", 5), ("00123", 3)], feed)
    assert (found.before, found.added, found.removed, found.changed) == (1, 1, 0, 1)
    assert "stay as they are" in found.notes[0]
    require_same_in_a_check(place, found, feed)


def test_a_partition_to_come_is_compared_with_the_one_that_stands(place: Place) -> None:
    place.partition()
    feed = place.feed({"fact.mode": "exchange"})
    found = differing(place, [("A1", 1), ("B2", 2)], [("A1", 5)], feed)
    assert (found.added, found.removed, found.changed) == (0, 1, 1)
    require_same_in_a_check(place, found, feed)


def test_what_is_published_already_would_change_nothing(place: Place) -> None:
    place.workbook([("A1", 1)])
    place.load()
    found = diff_load(place.feed(), PERIOD, database=place.url)
    assert found.state == "published"
    assert "published already" in found.notes[0]


def test_what_is_staged_is_compared_as_it_is_and_published_by_the_next_run(place: Place) -> None:
    differing(place, [("A1", 1)], [("A1", 2)])
    attempts = place.rows("SELECT count(*) FROM factload.attempts")
    assert diff_load(place.feed(), PERIOD, database=place.url).changed == 1
    assert place.rows("SELECT count(*) FROM factload.attempts") == attempts
    (place.home / "inbox/sales_2026-11-05.xlsx").rename(place.home / "aside.xlsx")
    assert diff_load(place.feed(), PERIOD, database=place.url).changed == 1
    (place.home / "aside.xlsx").rename(place.home / "inbox/sales_2026-11-05.xlsx")
    place.load()
    assert place.facts() == [(1, "2.0000", LOAD)]


def test_another_workbook_is_staged_anew(place: Place) -> None:
    differing(place, [("A1", 1)], [("A1", 2)])
    place.workbook([("A1", 1), ("B2", 7)])
    found = diff_load(place.feed(), PERIOD, database=place.url)
    assert (found.added, found.changed) == (1, 0)


def test_a_load_that_is_held_is_compared_too(place: Place) -> None:
    feed = place.feed({"max_change": {"rows": "20%"}})
    place.workbook([("A1", number) for number in range(10)])
    place.load(feed)
    place.workbook([("A1", number) for number in range(5)])
    with pytest.raises(RowsRefused):
        place.load(feed)
    found = diff_load(feed, PERIOD, database=place.url)
    assert (found.state, found.removed) == ("held", 5)
    assert "the number of rows is 5" in found.held


def test_a_load_that_comparing_finds_too_different_is_left_held(place: Place) -> None:
    feed = place.feed({"max_change": {"rows": "20%"}})
    found = differing(place, [("A1", number) for number in range(10)], [("A1", 0)], feed)
    assert (found.state, found.removed, read_report(place.url, LOAD).state) == ("held", 9, "held")


def test_comparing_leaves_no_table_behind(place: Place) -> None:
    differing(place, [("A1", 1)], [("A1", 2)])
    assert place.rows("SELECT relname FROM pg_class WHERE relname LIKE 'factload_diff%'") == []


def test_the_command_prints_it_for_people_and_for_programs(place: Place) -> None:
    place.workbook([("A1", 1), ("B2", 2)])
    place.load()
    place.workbook([("A1", 3)])
    result = factload("diff", "sales", "--period", "2026-11-05")
    assert (result.returncode, result.stderr) == (0, "")
    assert (
        "changed  dimension_id A1  metric 1.0000 → 3.0000  inbox/sales_2026-11-05.xlsx Facts row 2 (A2, B2)"
        in result.stdout
    )
    assert "1 members of dimension_id vanish: B2" in result.stdout
    found = json.loads(factload("diff", "sales", "--period", "2026-11-05", "--json").stdout)
    assert found["rows"] == {"before": 2, "after": 1, "added": 0, "removed": 1, "changed": 1, "unchanged": 0}
    assert found["totals"] == {"metric": {"before": "3.0000", "after": "3.0000"}}
