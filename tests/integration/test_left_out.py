"""Rows that are no data, in a load: none is lost, none is a reject, and the counts add up everywhere they are shown."""

from __future__ import annotations

from pathlib import Path

import openpyxl

from factload.check.load import check_load
from factload.cli.terminal import rendered
from factload.reports.report import read_report
from tests.integration.commands import factload
from tests.integration.place import PERIOD, Place
from tests.workbooks import write_rows

LOAD = "sales@2026-11-05"
ENDS = {"workbook.ends": {"first": "Total"}, "workbook.skip_rows": [{"column": "note", "equals": "sub"}]}


def write(place: Place, rows: list[tuple[object, ...]]) -> Path:
    path = place.home / f"inbox/sales_{PERIOD}.xlsx"
    return write_rows(path, [("note", "business_key", "metric"), *rows])


def test_left_out_rows_are_counted_in_check_report_and_ledger(place: Place) -> None:
    write(
        place,
        [
            (None, "A1", 1),
            ("sub", None, 1),
            (None, "B2", "x"),
            ("seen",),
            ("Total", None, 1),
            (None, "B2", 5),
        ],
    )
    feed = place.feed(ENDS)
    left_out = {"skipped_row": 1, "totals_row": 1, "after_end": 1}
    checked = check_load(feed, PERIOD, database=place.url)
    place.load(feed)
    report = read_report(place.url, LOAD)
    for found in (checked, report):
        assert found.left_out == left_out
        assert {name: found.rows[name] for name in ("source", "blank", "rejected", "staged")} == {
            "source": 6, "blank": 1, "rejected": 1, "staged": 1
        }  # fmt: skip
    assert place.rows("SELECT left_out_rows, source_rows FROM factload.partitions") == [(left_out, 6)]
    assert "source 6 = blank 1 + left out 3 + rejected 1 + staged 1;" in rendered(report)


def test_partitions_of_left_out_rows_alone_are_loaded_as_none(place: Place) -> None:
    rows: list[tuple[object, ...]] = [(None, "A1", n) for n in range(2_500)]
    write(place, [*rows, ("Total", None, 1), *rows])
    place.load(place.feed(ENDS))
    assert place.rows("SELECT count(*) FROM fact_sales") == [(2_500,)]
    assert place.rows("SELECT source_rows, staged_rows FROM factload.partitions ORDER BY first_row") == [
        (2_000, 2_000),
        (2_000, 500),
        (1_001, 0),
    ]


def test_a_row_that_was_corrected_and_is_left_out_now_takes_no_place(place: Place, tmp_path: Path) -> None:
    write(place, [(None, "A1", 1), ("sub", "B2", "x")])
    feed = place.feed({"max_rejects": 1})
    place.load(feed)
    returned = tmp_path / "rejects.xlsx"
    assert factload("rejects", LOAD, "--xlsx", str(returned)).returncode == 0

    book = openpyxl.load_workbook(returned)
    sheet = book.worksheets[0]
    at = next(cell for cell in sheet[2] if cell.value == "x")
    sheet.cell(2, at.column or 0, 7)
    book.save(returned)
    place.replay(feed, returned)
    assert len(place.facts()) == 2
    place.load(place.feed({"workbook.skip_rows": [{"column": "note", "equals": "sub"}]}))
    assert [metric for _, metric, _ in place.facts()] == ["1.0000"]
    assert read_report(place.url, LOAD).left_out == {"skipped_row": 1}
