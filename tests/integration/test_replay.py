"""Rejected rows tried again, and held loads released: the fact table at each step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from factload.corrections.identity import IDENTITY
from factload.errors import FeedError, RowsRefused, WorkbookError
from factload.feed.model import Feed
from factload.load import Load, content_of
from factload.pipeline import run_load
from factload.postgres.database import engine_for
from factload.progress import Quiet
from factload.release import publish_held
from factload.replay import replay_load
from factload.reports.rejects_workbook import write_rejects
from factload.reports.report import read_report
from tests.integration.place import PERIOD, Place
from tests.workbooks import first_sheet

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
    workbook = openpyxl.load_workbook(path)
    sheet = first_sheet(workbook)
    row_of = [cell.value for cell in sheet[1]].index(IDENTITY[2])
    for row in reversed(range(2, sheet.max_row + 1)):
        number = sheet.cell(row, row_of + 1).value
        assert isinstance(number, int)
        if number in changes:
            column, value = changes[number]
            sheet.cell(row, column).value = value
        if number in drop:
            sheet.delete_rows(row)
    workbook.save(path)
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
        workbook = openpyxl.load_workbook(path)
        first_sheet(workbook)[cell].value = value
        workbook.save(place.home / "inbox/altered.xlsx")
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
    feed = place.feed({"max_rejects": {"total": "80%", "unmatched_key": 1}})
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


def edited(place: Place, name: str, edit: Callable[[Any], None]) -> str:
    """The rejects' workbook as ``edit`` leaves it."""
    path = place.home / returned(place, name, {})
    workbook = openpyxl.load_workbook(path)
    edit(workbook)
    workbook.save(path)
    return f"inbox/{name}"


def sort_descending(workbook: Any) -> None:
    header, *rows = [list(row) for row in workbook["Facts"].iter_rows(values_only=True)]
    rows[0][0] = "A1"
    workbook["Facts"].delete_rows(1, 10)
    for row in [header, *reversed(rows)]:
        workbook["Facts"].append(row)


def move_columns(workbook: Any) -> None:
    header, *rows = [list(row) for row in workbook["Facts"].iter_rows(values_only=True)]
    rows[0][0] = "A1"
    workbook["Facts"].delete_rows(1, 10)
    for row in [header, *rows]:
        workbook["Facts"].append(["checked" if row is header else "ok", *reversed(row)])


def add_notes(workbook: Any) -> None:
    workbook.create_sheet("Notes", 0).append(["please", "look", "at these"])
    workbook.create_sheet("Empty")
    workbook["Facts"]["A2"].value = "A1"
    workbook["Facts"]["A9"].value, workbook["Facts"]["L2"].value = "   ", "A1, as agreed"


def delete_the_others(workbook: Any) -> None:
    workbook["Facts"]["A2"].value = "A1"
    workbook["Facts"].delete_rows(3, 10)


def write_names_otherwise(workbook: Any) -> None:
    workbook["Facts"]["A2"].value = "A1"
    workbook["Facts"]["A1"].value, workbook["Facts"]["B1"].value = "Business_Key ", "METRIC"


def title_above(workbook: Any) -> None:
    workbook["Facts"]["A2"].value = "A1"
    workbook["Facts"].insert_rows(1, 3)
    workbook["Facts"]["A1"].value = "Corrected by us"


@pytest.mark.parametrize(
    "edit",
    [
        sort_descending,
        move_columns,
        add_notes,
        delete_the_others,
        write_names_otherwise,
        title_above,
    ],
    ids=lambda e: e.__name__,
)
def test_what_people_do_beside_correcting_is_no_hindrance(
    place: Place, edit: Callable[[Any], None], caplog: pytest.LogCaptureFixture
) -> None:
    place.workbook(ROWS)
    place.load()
    place.replay(place.feed(), edited(place, "sent.xlsx", edit))
    assert place.facts() == sorted([*FIRST, (1, "2.0000", LOAD)])
    notes = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert notes == (
        ["sheet Notes of inbox/sent.xlsx was left out: it holds no rejected rows"]
        if edit is add_notes
        else []
    )


def sort_the_own_columns_alone(workbook: Any) -> None:
    sheet = workbook["Facts"]
    for first, second in ((2, 5), (3, 4)):
        for column in ("A", "B"):
            one, other = sheet[f"{column}{first}"], sheet[f"{column}{second}"]
            one.value, other.value = other.value, one.value


def add_a_row(workbook: Any) -> None:
    workbook["Facts"].append(["A1", 1_000])


def hide(workbook: Any) -> None:
    workbook.create_sheet("Notes")
    workbook["Facts"].sheet_state = "hidden"


def forget_the_added_columns(workbook: Any) -> None:
    workbook["Facts"].delete_cols(3, 10)


def as_an_older_factload_wrote_it(workbook: Any) -> None:
    workbook["Facts"].delete_cols(8, 3)


REFUSED_EDITS: list[tuple[Callable[[Any], None], str]] = [
    (
        sort_the_own_columns_alone,
        r"4 rows of inbox/sent.xlsx hold what was written in other rows: .*Facts row 2",
    ),
    (add_a_row, r"1 rows of inbox/sent.xlsx don't say which row they stand for: Facts row 6"),
    (hide, r"inbox/sent.xlsx is not a rejects workbook: no visible sheet has the columns"),
    (forget_the_added_columns, r"inbox/sent.xlsx is not a rejects workbook"),
    (
        as_an_older_factload_wrote_it,
        r"was written by an older factload: .*Write the workbook anew with `factload rej",
    ),
]


def test_edits_that_leave_in_doubt_what_is_meant_are_refused(place: Place) -> None:
    place.workbook(ROWS)
    place.load()
    for edit, message in REFUSED_EDITS:
        with pytest.raises((RowsRefused, WorkbookError), match=message):
            place.replay(place.feed(), edited(place, "sent.xlsx", edit))
    assert place.facts() == FIRST


def test_two_people_correct_two_copies(place: Place) -> None:
    place.workbook(ROWS)
    place.load()
    one = returned(place, "one.xlsx", {3: (1, "A1"), 4: (2, "wrong")})
    two = returned(place, "two.xlsx", {4: (2, 8), 7: (1, "B2")})
    place.replay(place.feed(), one)
    place.replay(place.feed(), two)
    both = sorted([*FIRST, (1, "2.0000", LOAD), (2, "8.0000", LOAD), (2, "5.0000", LOAD)])
    assert place.facts() == both
    # what was taken is not taken again, though the row is another by now
    place.replay(place.feed(), one)
    assert place.facts() == both
    # who corrects otherwise what is published meanwhile is told
    with pytest.raises(RowsRefused, match=r"1 rows of inbox/late.xlsx are not rejected .*Facts row 3"):
        late = place.home / "inbox/late.xlsx"
        workbook = openpyxl.load_workbook(place.home / one)
        workbook["Facts"]["A2"].value = "B2"
        workbook.save(late)
        place.replay(place.feed(), "inbox/late.xlsx")
    assert place.facts() == both


def test_corrections_that_an_older_factload_took_are_never_dropped_in_silence(place: Place) -> None:
    place.workbook(ROWS)
    place.load()
    # what the ledger of version 2 had of a load that a corrected workbook had joined
    place.execute(
        "UPDATE factload.attempts SET sources = sources || "
        '\'[{"path": "inbox/sent.xlsx", "sha256": "0", "bytes": 1, "corrects": true}]\', '
        "workbook_sha256 = 'all of them'"
    )
    made_of = content_of("all of them", place.feed().fingerprint, "")
    place.execute(f"UPDATE factload.attempts SET content = '{made_of}'")
    place.load()
    assert place.rows("SELECT count(*) FROM factload.attempts") == [(1,)]
    loads_again: tuple[Callable[[], Load], ...] = (
        lambda: place.load(reload=True),
        lambda: place.load(place.feed({"fact.columns.metric.min": 0})),
        lambda: place.replay(place.feed()),
    )
    for again in loads_again:
        with pytest.raises(FeedError, match=r"an older factload .* out of inbox/sent.xlsx"):
            again()
    assert place.facts() == FIRST
    place.workbook([("B2", 100)])
    place.load()
    assert place.facts() == [(2, "100.0000", LOAD)]


def test_another_format_alone_is_a_correction(place: Place) -> None:
    place.workbook([("A1", datetime(2024, 2, 29))])
    place.load(place.feed({"max_rejects": "100%"}))
    assert place.facts() == []

    def as_a_number(workbook: Any) -> None:
        workbook["Facts"]["B2"].value = 45351
        workbook["Facts"]["B2"].number_format = "General"

    place.replay(place.feed({"max_rejects": "100%"}), edited(place, "sent.xlsx", as_a_number))
    assert place.facts() == [(1, "45351.0000", LOAD)]
