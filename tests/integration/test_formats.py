"""Csv files, csv files in gzip and .xls workbooks as loads: the file before, fact table, ledger and rejects after."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlwt

from factload.errors import WorkbookError
from factload.pipeline import run_load
from factload.progress import Quiet
from factload.reports.report import read_report
from tests.integration.commands import factload
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"
PROVENANCE = {f"fact.columns.source_{part}": {"provenance": part} for part in ("workbook", "sheet", "row")}
LINES = (
    "Sales of the week\r\n"
    "business_key;metric;remark\r\n"
    'A1;"1.234,5";\r\n'
    ";;\r\n"
    '" padded ";2;"two\r\nlines; and ""quotes"""\r\n'
    "B2;3;x;a field too many\r\n"
    "nobody;4;\r\n"
    "B2;5.5;\r\n"
    "00123;-6;Müller\r\n"
)


def as_csv(path: Path) -> None:
    path.write_bytes(LINES.encode("cp1252"))


def as_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(LINES.encode("cp1252")))


def as_xls(path: Path) -> None:
    workbook = xlwt.Workbook()
    workbook.add_sheet("Notes").write(0, 0, "nothing of interest")
    sheet = workbook.add_sheet("Facts")
    rows: list[tuple[object, ...]] = [
        ("Sales of the week",), ("business_key", "metric"), ("A1", 1234.5), (), (" padded ", 2), ("B2",),
        ("B2", "much"), ("nobody", 4), ("B2", "5.5"), (), ("00123", -6),
    ]  # fmt: skip
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    sheet.row(5).set_cell_error(1, "#REF!")
    workbook.save(str(path))


def loaded(place: Place, name: str, **described: Any) -> None:
    """Load one file that the feed describes so, into a fact table that keeps where each row came from."""
    place.execute(
        "ALTER TABLE fact_sales ADD source_workbook text, ADD source_sheet text, ADD source_row bigint"
    )
    feed = place.feed({"workbook": {"path": f"inbox/{name}", **described}, **PROVENANCE})
    run_load(feed, PERIOD, database=place.url, progress=Quiet())


def shown_rejects() -> list[str]:
    return factload("rejects", LOAD).stdout.splitlines()


@pytest.mark.parametrize(("write", "name"), [(as_csv, "sales.csv"), (as_gzip, "sales.csv.gz")])
def test_a_csv_file_becomes_facts_and_its_ragged_row_a_reject(
    write: Callable[[Path], None], name: str, place: Place
) -> None:
    write(place.home / "inbox" / name)
    loaded(place, name, csv={"encoding": "cp1252", "delimiter": ";", "decimal": ",", "thousands": "."})
    source = f"inbox/{name}"
    assert place.rows(
        "SELECT dimension_id, metric::text, source_workbook, source_sheet, source_row FROM fact_sales ORDER BY source_row"
    ) == [
        (1, "1234.5000", source, "sales", 3),
        (4, "2.0000", source, "sales", 5),
        (3, "-6.0000", source, "sales", 10),
    ]
    assert read_report(place.url, LOAD).rows == {
        "source": 6, "blank": 0, "rejected": 3, "staged": 3, "published": 3
    }  # fmt: skip
    assert place.rows('SELECT "row", cell, "column", raw, reason FROM factload.rejects ORDER BY "row"') == [
        (7, "A7", "", "B2;3;x;a field too many", "ragged_row"),
        (8, "A8", "business_key", "nobody", "unmatched_key"),
        (9, "B9", "metric", "5.5", "not_a_number"),
    ]
    ragged, unmatched, number = (line for line in shown_rejects() if "sales!" in line)
    assert "sales!A7" in ragged and "B2;3;x;a field too many" in ragged
    assert "sales!A8" in unmatched and "sales!B9" in number


def test_an_xls_workbook_becomes_facts_and_its_rejects_have_their_cells(place: Place) -> None:
    as_xls(place.home / "inbox/sales.xls")
    loaded(place, "sales.xls", sheet="Facts")
    assert place.rows(
        "SELECT dimension_id, metric::text, source_workbook, source_sheet, source_row FROM fact_sales ORDER BY source_row"
    ) == [
        (1, "1234.5000", "inbox/sales.xls", "Facts", 3),
        (4, "2.0000", "inbox/sales.xls", "Facts", 5),
        (3, "-6.0000", "inbox/sales.xls", "Facts", 11),
    ]
    assert read_report(place.url, LOAD).rows == {
        "source": 7, "blank": 0, "rejected": 4, "staged": 3, "published": 3
    }  # fmt: skip
    shown = [line for line in shown_rejects() if "Facts!" in line]
    for line, (cell, text) in zip(
        shown, [("B6", "#REF!"), ("B7", "much"), ("A8", "nobody"), ("B9", "5.5")], strict=True
    ):
        assert f"Facts!{cell}" in line and text in line


def test_a_csv_file_that_is_hostile_leaves_the_fact_table_alone(place: Place) -> None:
    (place.home / "inbox/sales.csv.gz").write_bytes(
        gzip.compress(b"business_key,metric\n" + b"\n" * 20_000_000)
    )
    place.execute("INSERT INTO fact_sales (dimension_id, metric, load_id) VALUES (1, 1, 'before')")
    with pytest.raises(WorkbookError, match="FACTLOAD_LIMIT_RATIO"):
        loaded(place, "sales.csv.gz", csv={})
    assert place.facts() == [(1, "1.0000", "before")]


def test_every_command_that_reads_a_workbook_keeps_the_limits(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.workbook([("A1", 1), ("nobody", 2)])
    run_load(place.feed(), PERIOD, database=place.url, progress=Quiet())
    monkeypatch.setenv("FACTLOAD_LIMIT_SMALL_PART_BYTES", "50")
    period = ("--period", str(PERIOD))
    for command in (
        ("check", "sales", *period),
        ("run", "sales", *period, "--reload"),
        ("rejects", LOAD, "--xlsx", str(place.home / "rejects.xlsx")),
        ("init", str(path)),
    ):
        done = factload(*command)
        assert done.returncode != 0
        assert "FACTLOAD_LIMIT_SMALL_PART_BYTES" in done.stdout + done.stderr
