"""A table as the source of a load: its rows, its rejects, and the way of a corrected row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from factload.check.load import check_load
from factload.errors import FeedError, WorkbookError
from factload.feed.file import read_feed_file
from tests.feeds import ABSENT
from tests.integration.place import PERIOD, Place
from tests.workbooks import first_sheet

LOAD = "sales@2026-11-05"
TABLE = {"workbook.table": "Orders", "workbook.sheet": ABSENT}
ROWS = [("A1", 1), ("B2", "n/a"), ("B2", 3)]


def write(place: Place, rows: Sequence[tuple[Any, ...]], above: int = 3, name: str = "Orders") -> Path:
    """A table of these rows below so many others, its totals row last, with a look-alike of its columns beside it."""
    workbook = openpyxl.Workbook()
    sheet = first_sheet(workbook)
    sheet.title = "Facts"
    sheet["B1"], sheet["C1"] = "business_key", "metric"  # not the table's header
    total = sum(value for _, value in rows if isinstance(value, int))
    for number, row in enumerate([("business_key", "metric"), *rows, ("Total", total)], above + 1):
        sheet.cell(number, 2, row[0])
        sheet.cell(number, 3, row[1])
        sheet.cell(number, 5, "beside")
    last = above + len(rows) + 2
    sheet.cell(last + 1, 2, "A1")
    sheet.cell(last + 1, 3, 1000)
    sheet.add_table(Table(displayName=name, ref=f"B{above + 1}:C{last}", totalsRowCount=1))
    path = place.home / f"inbox/sales_{PERIOD}.xlsx"
    workbook.save(path)
    return path


def test_a_table_is_loaded_and_its_corrected_row_comes_back_in(place: Place) -> None:
    write(place, ROWS)
    feed = place.feed({**TABLE, "max_rejects": 1})
    report = check_load(feed, PERIOD, database=place.url)
    assert (report.state, report.rows["source"], report.rejects) == ("ready", 4, {"not_a_number": 1})
    place.load(feed)
    assert [metric for _, metric, _ in place.facts()] == ["1.0000", "3.0000"]
    assert place.rows("SELECT sheet, row, cell FROM factload.rejects") == [("Facts", 6, "C6")]

    returned = place.rejects_workbook(feed)
    workbook = openpyxl.load_workbook(returned)
    sheet = first_sheet(workbook)
    shown = [cell.value for cell in sheet[2]]
    assert ("B2" in shown, "beside" in shown) == (True, False)
    sheet.cell(2, shown.index("n/a") + 1, 2)
    workbook.save(returned)
    place.replay(feed, returned)
    assert [metric for _, metric, _ in place.facts()] == ["1.0000", "2.0000", "3.0000"]

    write(place, ROWS, above=90)  # a later delivery: rows were inserted above the table, the correction stays
    place.load(feed)
    assert [metric for _, metric, _ in place.facts()] == ["1.0000", "2.0000", "3.0000"]
    assert place.rows(
        "SELECT source_rows, blank_rows, rejected_rows FROM factload.attempts ORDER BY epoch"
    ) == [
        (4, 0, 1),
        (4, 0, 0),
        (4, 0, 0),
    ]
    assert report.left_out == {"totals_row": 1}


def test_a_feed_that_names_another_table_loads_anew(place: Place) -> None:
    write(place, [("A1", 1)])
    feed = place.feed(TABLE)
    assert (
        place.feed({"workbook.range": "Facts!B4:C6", "workbook.sheet": ABSENT}).fingerprint
        != feed.fingerprint
    )
    place.load(feed)
    write(place, [("A1", 2)], name="Sales")
    with pytest.raises(WorkbookError, match="has no table 'Orders'; it has 'Sales'"):
        place.load(feed)
    problems = check_load(feed, PERIOD, database=place.url).problems
    assert problems[0].code == "excel_table_missing"
    place.load(place.feed({"workbook.table": "Sales", "workbook.sheet": ABSENT}))
    assert [metric for _, metric, _ in place.facts()] == ["2.0000"]


@pytest.mark.parametrize(
    ("workbook", "words"),
    [
        ({"table": "Orders", "sheet": "Facts"}, "goes without `sheet`"),
        ({"table": "Orders", "range": "Facts!A1:B2"}, "goes without `range`"),
        ({"range": "Facts!A1:B2", "csv": {}}, "a csv file has neither tables nor ranges"),
        ({"table": " "}, "expected a name"),
    ],
)
def test_a_feed_says_in_one_way_where_its_cells_are(
    place: Place, workbook: dict[str, Any], words: str
) -> None:
    document = place.feed_file({"workbook": {"path": "inbox/a.xlsx", **workbook}})
    with pytest.raises(FeedError, match=words):
        read_feed_file(document)
