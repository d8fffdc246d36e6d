"""Rejected rows tried again, and held loads released: the fact table at each step."""

from __future__ import annotations

from typing import Any

import openpyxl
import pytest

from conftest import PERIOD, Place
from factload.afterwards.release import publish_held
from factload.afterwards.replay import replay_load
from factload.database import engine_for
from factload.errors import FeedError, RowsRefused, WorkbookError
from factload.feed.model import Feed
from factload.load import Load
from factload.pipeline import run_load
from factload.reports.identity import IDENTITY
from factload.reports.progress import Quiet
from factload.reports.rejects_workbook import write_rejects
from factload.reports.report import read_report

LOAD = "sales@2026-11-05"
ROWS = [("A1", 1), ("nobody", 2), ("B2", "n/a"), ("later", 3), ("A1", 4), ("nobody", 5)]
FIRST = [(1, "1.0000", LOAD), (1, "4.0000", LOAD)]


def load(place: Place, feed: Feed | None = None, **options: Any) -> Load:
    return run_load(feed or place.feed(), PERIOD, database=place.url, progress=Quiet(), **options)


def replay(place: Place, workbook: str | None = None) -> Load:
    return replay_load(place.feed(), PERIOD, database=place.url, workbook=workbook, progress=Quiet())


def counts(place: Place) -> tuple[str, dict[str, int]]:
    found = read_report(place.url, LOAD)
    return found.state, found.rows


def returned(place: Place, name: str, changes: dict[int, tuple[int, Any]], drop: tuple[int, ...] = ()) -> str:
    """The rejects' workbook, corrected: Excel row of the load → (column, new value); without the rows ``drop``."""
    path = place.home / "inbox" / name
    with engine_for(place.url).connect() as connection, path.open("wb") as file:
        write_rejects(file, connection, place.feed(), LOAD)
    book = openpyxl.load_workbook(path)
    sheet = book.active
    row_of = [cell.value for cell in sheet[1]].index(IDENTITY[2])
    for row in reversed(range(2, sheet.max_row + 1)):
        number = sheet.cell(row, row_of + 1).value
        if number in changes:
            column, value = changes[number]
            sheet.cell(row, column).value = value
        if number in drop:
            sheet.delete_rows(row)
    book.save(path)
    return f"inbox/{name}"


def test_rejects_resolve_once_the_dimension_has_caught_up(place: Place) -> None:
    place.workbook(ROWS)
    load(place)
    assert place.facts() == FIRST
    place.execute("INSERT INTO dim_product VALUES (9, 'later')")
    replay(place)
    assert place.facts() == [*FIRST, (9, "3.0000", LOAD)]
    assert counts(place) == (
        "published",
        {"source": 6, "blank": 0, "rejected": 3, "staged": 3, "published": 3},
    )
    replay(place)
    assert place.facts() == [*FIRST, (9, "3.0000", LOAD)]


def test_a_corrected_workbook_is_replayed_step_by_step(place: Place) -> None:
    place.workbook(ROWS)
    load(place)
    # two of four are corrected, one of them wrongly; one is left out, one stays as it was
    first = returned(place, "corrected.xlsx", {3: (1, "A1"), 4: (2, "still wrong")}, drop=(7,))
    replay(place, first)
    assert place.facts() == sorted([*FIRST, (1, "2.0000", LOAD)])
    assert counts(place) == (
        "published",
        {"source": 6, "blank": 0, "rejected": 3, "staged": 3, "published": 3},
    )
    # every row keeps its place in the load's own workbook, with the value that was corrected last
    assert place.rows(
        'SELECT workbook, "row", raw, reason FROM factload.rejects ORDER BY workbook, "row"'
    ) == [
        ("inbox/sales_2026-11-05.xlsx", 4, "still wrong", "not_a_number"),
        ("inbox/sales_2026-11-05.xlsx", 5, "later", "unmatched_key"),
        ("inbox/sales_2026-11-05.xlsx", 7, "nobody", "unmatched_key"),
    ]
    # the same again changes nothing, nor does the nightly run of the same workbook
    replay(place, first)
    load(place)
    assert place.facts() == sorted([*FIRST, (1, "2.0000", LOAD)])
    # what came back and was still wrong is corrected in its turn
    second = returned(place, "again.xlsx", {4: (2, 7)})
    replay(place, second)
    assert place.facts() == sorted([*FIRST, (1, "2.0000", LOAD), (2, "7.0000", LOAD)])
    assert counts(place)[1] == {"source": 6, "blank": 0, "rejected": 2, "staged": 4, "published": 4}
    # a workbook corrected at its source replaces all of it
    place.workbook([("B2", 100)])
    load(place)
    assert place.facts() == [(2, "100.0000", LOAD)]


def test_rows_that_are_not_rejected_any_more_are_refused_by_name(place: Place) -> None:
    place.workbook(ROWS)
    load(place)
    late = returned(place, "late.xlsx", {3: (1, "A1"), 5: (1, "A1")})
    place.execute("INSERT INTO dim_product VALUES (9, 'later')")
    replay(place)
    published = place.facts()
    with pytest.raises(
        RowsRefused, match=r"1 rows of inbox/late.xlsx are not rejected in .*: .* Facts row 5\."
    ):
        replay(place, late)
    assert (place.facts(), counts(place)[0]) == (published, "published")


ALTERED = [
    ("E3", None, "1 rows of inbox/altered.xlsx don't say which row they stand for: Facts row 3"),
    ("E3", 3, "1 rows stand in inbox/altered.xlsx more than once: Facts row 3"),
    ("E3", 2, "1 rows of inbox/altered.xlsx are not as they were written: .*: Facts row 3"),
    ("E3", 1_000, "1 rows of inbox/altered.xlsx are not as they were written"),
    ("D3", "Other", "1 rows of inbox/altered.xlsx are not as they were written"),
    ("C3", "inbox/other.xlsx", "1 rows of inbox/altered.xlsx are not as they were written"),
    ("H3", "sales@2026-11-04", "inbox/altered.xlsx holds rows of sales@2026-11-04, not of sales@2026-11-05"),
    ("I3", "0" * 64, "1 rows of inbox/altered.xlsx were rejected in another delivery .*: Facts row 3"),
    ("J3", "0" * 32, "1 rows of inbox/altered.xlsx are not as they were written"),
    ("J1", None, "sheet Facts of inbox/altered.xlsx has no column 'factload digest'"),
    ("A1", "key", "sheet Facts of inbox/altered.xlsx has no column 'business_key'"),
]


def test_rows_that_do_not_prove_which_they_are_are_refused_by_name(place: Place) -> None:
    place.workbook(ROWS)
    load(place)
    path = place.home / returned(place, "rejects.xlsx", {3: (1, "A1")})
    for cell, value, message in ALTERED:
        book = openpyxl.load_workbook(path)
        book.active[cell].value = value
        book.save(place.home / "inbox/altered.xlsx")
        with pytest.raises((RowsRefused, WorkbookError), match=message):
            replay(place, "inbox/altered.xlsx")
    assert place.facts() == FIRST
    assert place.rows("SELECT count(*) FROM factload.attempts") == [(1,)]


def test_a_workbook_that_has_changed_is_not_replayed(place: Place) -> None:
    place.workbook(ROWS)
    load(place)
    place.workbook([("A1", 1)])
    with pytest.raises(
        WorkbookError, match=r"is not the one that sales@2026-11-05 was loaded from.*factload run sales"
    ):
        replay(place)
    assert place.facts() == FIRST


def test_without_rejects_there_is_nothing_to_do(place: Place) -> None:
    place.workbook([("A1", 1)])
    load(place)
    assert replay(place).already_published
    assert place.rows("SELECT count(*) FROM factload.attempts") == [(1,)]


def held(place: Place) -> Feed:
    place.workbook([("A1", 1), ("nobody", 2), ("no one", 3)])
    feed = place.feed(**{"max_rejects: 80%": "max_rejects: {total: 80%, unmatched_key: 1}"})
    with pytest.raises(
        RowsRefused, match=r"2 of 3 rows are unmatched_key.*at most max_rejects, 80%, unmatched_key 1 rows"
    ):
        load(place, feed)
    assert counts(place)[0] == "held"
    return feed


def release(place: Place, feed: Feed, reason: str = "agreed with finance") -> Load:
    return publish_held(feed, PERIOD, reason=reason, by="ada", database=place.url)


def test_a_held_load_is_released_with_a_name_and_a_reason(place: Place) -> None:
    feed = held(place)
    release(place, feed)
    assert place.facts() == [(1, "1.0000", LOAD)]
    report = read_report(place.url, LOAD)
    assert (report.state, report.error) == ("published", None)
    assert report.released is not None
    assert (report.released["by"], report.released["reason"]) == ("ada", "agreed with finance")
    load(place, feed)  # the same content: left alone
    with pytest.raises(FeedError, match="is published"):
        release(place, feed)
    # a changed workbook needs an attempt, and a release, of its own
    place.workbook([("A1", 5), ("nobody", 2), ("no one", 4)])
    with pytest.raises(RowsRefused):
        load(place, feed)
    assert place.facts() == [(1, "1.0000", LOAD)]


def test_only_a_load_held_for_its_rejects_can_be_released(place: Place) -> None:
    place.workbook([("A1", 1)])
    load(place)
    with pytest.raises(FeedError, match="is published"):
        release(place, place.feed())
    feed = held(place)
    place.execute("UPDATE factload.attempts SET state = 'failed', error_code = 'x' WHERE state = 'held'")
    with pytest.raises(FeedError, match="is failed: x"):
        release(place, feed)


def test_what_does_not_add_up_is_not_released(place: Place) -> None:
    feed = held(place)
    [(table,)] = place.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'factload_staging'")
    place.execute(f'DELETE FROM factload_staging."{table}"')
    with pytest.raises(Exception, match="does not add up"):
        release(place, feed)
    assert (place.facts(), counts(place)[0]) == ([], "held")


def test_a_held_load_takes_a_corrected_workbook(place: Place) -> None:
    held(place)
    corrected = returned(place, "corrected.xlsx", {3: (1, "B2")})
    replay_load(place.feed(), PERIOD, database=place.url, workbook=corrected, progress=Quiet())
    assert place.facts() == [(1, "1.0000", LOAD), (2, "2.0000", LOAD)]
