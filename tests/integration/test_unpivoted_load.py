"""Columns that become rows, from the sheet to the fact table and back: every cell is counted, staged, proved, and known by
its own place in whatever is said of it.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text

from factload import steps
from factload.check.load import check_load
from factload.difference import diff_load
from factload.errors import ReconciliationError, RowsRefused
from factload.feed.model import Feed
from factload.progress import Quiet
from factload.reports.annotated.rejects import annotate_rejects
from factload.reports.reject_pages import page_of_rejects
from factload.reports.rejects_workbook import write_rejects
from factload.reports.report import read_report
from factload.verify.proof import prove
from factload.verify.published import published_loads
from tests.driver import SteppedLoad
from tests.integration.place import PERIOD, Place
from tests.integration.resaved import corrected, resaved
from tests.workbooks import first_sheet, write_rows

LOAD = "sales@2026-11-05"
UNPIVOT = {"columns": ["Jan", "Feb", "Mar"], "name": "month", "value": "amount", "above": "year"}
CHANGES: dict[str, Any] = {
    "workbook": {"path": "inbox/sales_{period}.xlsx", "sheet": "Facts", "unpivot": UNPIVOT},
    "dimensions.month": {
        "table": "dim_month",
        "business_key": ["year", "name"],
        "surrogate_key": "month_id",
        "column": ["year", "month"],
    },
    "fact.columns.month_id": {"dimension": "month"},
    "fact.columns.metric": {"column": "amount", "type": "numeric(18,4)", "required": True},
    "fact.columns.source_row": {"provenance": "row"},
    "max_rejects": "100%",
}
ROWS: list[tuple[Any, ...]] = [
    ("A1", "x", 1, 2, None, 10),
    ("nobody", "x", None, 3, 4, None),
    (None, "only a remark", None, None, None, None),
    ("B2", "x", "n/a", 5, None, 11),
]
REJECTS = {
    ("A4", "business_key", "nobody", "unmatched_key"),
    ("C6", "Jan", "n/a", "not_a_number"),
}


def sheet(place: Place, rows: list[tuple[Any, ...]], period: date = PERIOD) -> None:
    top = [(None, None, 2025, None, None, 2026), ("business_key", "Remark", "Jan", "Feb", "Mar", "Jan")]
    write_rows(place.home / f"inbox/sales_{period}.xlsx", [*top, *rows])


def prepare(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ADD month_id integer, ADD source_row integer")
    place.execute("CREATE TABLE dim_month (month_id integer PRIMARY KEY, year text, name text)")
    place.execute(
        "INSERT INTO dim_month VALUES (1, '2025', 'Jan'), (2, '2025', 'Feb'), (3, '2025', 'Mar'), (4, '2026', 'Jan')"
    )


@pytest.fixture(scope="module")
def months(module_place: Place) -> Place:
    prepare(module_place)
    return module_place


def feed(place: Place, **changes: Any) -> Feed:
    return place.feed({**CHANGES, **changes})


def facts(place: Place) -> list[tuple[Any, ...]]:
    return place.rows(
        "SELECT source_row, dimension_id, month_id, metric::int FROM fact_sales WHERE load_id = :load ORDER BY 1, 3, 4",
        load=LOAD,
    )


def rejects(place: Place) -> list[tuple[Any, ...]]:
    return [(r.cell, r.column, r.raw, r.reason) for r in place.rejects()]


FACTS = [(3, 1, 1, 1), (3, 1, 2, 2), (3, 1, 4, 10), (6, 2, 2, 5), (6, 2, 4, 11)]


def test_each_cell_is_a_fact_row_and_is_counted_once(months: Place) -> None:
    sheet(months, ROWS)
    months.load(feed(months))
    assert facts(months) == FACTS
    assert set(rejects(months)) == REJECTS
    assert len(rejects(months)) == 3
    report = read_report(months.url, LOAD)
    assert report.rows == {"source": 16, "blank": 8, "rejected": 3, "staged": 5, "published": 5}
    assert "sheet Facts is counted by cells: 4 columns become rows" in report.warnings
    checked = check_load(feed(months), PERIOD, database=months.url, progress=Quiet())
    assert checked.rows == {**report.rows, "published": 0}
    assert {(r.cell, r.column, r.raw, r.reason) for r in checked.rejected} == REJECTS
    assert checked.unmatched["product"].rows == 2


def test_a_partition_of_cells_is_proved_later_by_its_rows_and_control_totals_alone(months: Place) -> None:
    sheet(months, ROWS)
    months.load(feed(months))
    with months.engine.connect() as connection:
        loads = published_loads(connection)
        for tamper, partitions in (
            ("metric = metric + 1", ("Facts 3–6: control total of metric is off by 1.0000",)),
            ("month_id = 3", ()),
        ):
            change = f"UPDATE fact_sales SET {tamper} WHERE source_row = 6 AND month_id = 2"
            connection.execute(text(change))
            [verdict] = prove(connection, loads, loads).verdicts
            assert (verdict.state, verdict.partitions) == ("differs", partitions)
            assert "by its rows and control totals alone" in verdict.where[0]
            connection.rollback()


def test_a_page_of_rejects_never_parts_those_of_one_row(months: Place) -> None:
    sheet(months, [("nobody", "x", 1, 2, 3, 4), ("none", "x", 1, 2, 3, 4), ("A1", "x", 1, "?", 3, "?")])
    months.load(feed(months))
    found, after = [], None
    with months.engine.connect() as connection:
        for _ in range(9):
            page = page_of_rejects(connection, LOAD, after=after, limit=3)
            found += [(reject.row, reject.cell) for reject in page.rows]
            after = page.next
            if after is None:
                break
    assert sorted(found) == [(3, "A3")] * 4 + [(4, "A4")] * 4 + [(5, "D5"), (5, "F5")]


def test_rejects_are_sent_back_once_a_row_and_corrected_by_their_cells(months: Place) -> None:
    sheet(months, ROWS)
    months.load(feed(months))
    written, back = months.home / "rejects.xlsx", months.home / "inbox/back.xlsx"
    with months.engine.connect() as connection, written.open("wb") as file:
        done = write_rejects(file, connection, feed(months), LOAD)
    assert (done.whole, done.rows) == (True, 2)
    marked = first_sheet(openpyxl.load_workbook(written))
    assert [c.coordinate for row in marked.iter_rows(min_row=2) for c in row if c.comment] == ["A2", "C3"]
    resaved(written, back, corrected({(4, "business_key"): "A1", (4, "Mar"): 44, (6, "Jan"): 7}))
    months.replay(feed(months), "inbox/back.xlsx")
    assert facts(months) == sorted([*FACTS, (4, 1, 2, 3), (4, 1, 3, 44), (6, 2, 1, 7)])
    assert rejects(months) == []
    report = read_report(months.url, LOAD)
    assert report.rows == {"source": 16, "blank": 8, "rejected": 0, "staged": 8, "published": 8}


def test_the_senders_own_workbook_is_marked_once_a_cell(months: Place) -> None:
    sheet(months, [("A1", "y", 1, 2, 3, 4), ("nowhere", "y", 1, 2, 3, 4), ("B2", "y", "n/a", 5, None, 11)])
    months.load(feed(months))
    path = months.home / "annotated.xlsx"
    with months.engine.connect() as connection, path.open("wb") as file:
        annotate_rejects(file, connection, LOAD)
    marked = first_sheet(openpyxl.load_workbook(path))
    comments = {c.coordinate: c.comment.text for row in marked.iter_rows() for c in row if c.comment}
    assert set(comments) == {"A4", "C5"}
    assert comments["A4"].count("unmatched_key") == 1


def test_a_value_twice_is_rejected_at_its_own_cell_and_names_the_first(months: Place) -> None:
    unique = {"fact.columns.metric": {**CHANGES["fact.columns.metric"], "unique": True}}
    sheet(months, [("A1", "x", 1, 2, 1, 3), ("B2", "x", 2, None, None, 4)])
    months.load(feed(months, **unique))
    assert facts(months) == [(3, 1, 1, 1), (3, 1, 2, 2), (3, 1, 4, 3), (4, 2, 4, 4)]
    found = [(r.row, r.cell, r.column, r.raw, r.duplicate_of) for r in months.rejects()]
    assert found == [(3, "E3", "Mar", "1", "Facts row 3"), (4, "C4", "Jan", "2", "Facts row 3")]
    checked = check_load(feed(months, **unique), PERIOD, database=months.url, progress=Quiet())
    assert [(r.row, r.reason) for r in checked.rejected] == [(3, "duplicate_value"), (4, "duplicate_value")]


def test_a_name_without_a_member_is_rejected_at_each_cell_of_its_column(months: Place) -> None:
    months.execute("DELETE FROM dim_month WHERE month_id = 3")
    try:
        sheet(months, [("A1", "x", 1, 2, 5, 3), ("B2", "x", None, None, 6, None)])
        months.load(feed(months))
        assert rejects(months) == [
            ("E3", "Mar", "2025, Mar", "unmatched_key"),
            ("E4", "Mar", "2025, Mar", "unmatched_key"),
        ]
        checked = check_load(feed(months), PERIOD, database=months.url, progress=Quiet())
        assert checked.unmatched["month"].rows == 2
    finally:
        months.execute("INSERT INTO dim_month VALUES (3, '2025', 'Mar')")


def test_a_difference_names_the_cell(months: Place) -> None:
    sheet(months, [("A1", "x", 1, 2, 5, 3)])
    months.load(feed(months))
    sheet(months, [("A1", "x", 1, 2, 6, 3)])
    keyed = feed(months, compare_by=["dimension_id", "month_id"])
    [change] = diff_load(keyed, PERIOD, database=months.url, progress=Quiet()).largest
    assert (change.row, change.cells["metric"], change.values["metric"]) == (3, "E3", ("5.0000", "6.0000"))


def test_two_cells_of_one_row_that_change_places_are_no_proof(months: Place) -> None:
    sheet(months, [("A1", "x", 1, 2, 5, 3)])
    asked = feed(months)
    stepped = SteppedLoad(partial(steps.open_load, asked, PERIOD, reload=True), asked, months.url)
    stepped.run("open_load")
    stepped.until("reconcile")
    staging = f'factload_staging."{stepped.load.staging_table}"'
    with months.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE {staging} SET metric = CASE metric WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE metric END")
        )
    with pytest.raises(ReconciliationError, match="values are not in the rows they were in"):
        stepped.run("reconcile")


def test_a_witness_counts_cells_and_sums_them(months: Place) -> None:
    path = months.home / f"inbox/sales_{PERIOD}.xlsx"
    sheet(months, [("A1", "x", 1, 2, 5, 3)])
    book = openpyxl.load_workbook(path)
    book.create_sheet("Cover").append(["Total", 11])
    book.save(path)
    months.load(feed(months, witness={"at": "Cover!B1", "sum": "metric"}), reload=True)
    assert len(facts(months)) == 4
    with pytest.raises(RowsRefused, match="a difference of -7"):
        months.load(feed(months, witness={"at": "Cover!B1", "count": "rows"}), reload=True)
