"""Merged cells and stale formulas as loads: rejected, as the feed says, or as a person has corrected them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from factload.postgres.database import engine_for
from factload.progress import Quiet
from factload.replay import replay_load
from factload.reports.rejects_workbook import write_rejects
from tests.integration.place import PERIOD, Place
from tests.workbooks import first_sheet

LOAD = "sales@2026-11-05"


def merged(place: Place) -> None:
    path = place.workbook([("A1", 1), ("B2", 2), ("00123", 3), ("A1", 4)])
    workbook = openpyxl.load_workbook(path)
    first_sheet(workbook).merge_cells("B3:B4")
    workbook.save(path)


def stale(place: Place) -> None:
    with xlsxwriter.Workbook(str(place.home / "inbox/sales_2026-11-05.xlsx")) as workbook:
        sheet = workbook.add_worksheet("Facts")
        for row, values in enumerate(
            [("business_key", "metric"), ("A1", 1), ("B2",), ("00123", "=1+1"), ("A1", 4)]
        ):
            sheet.write_row(row, 0, values)
        sheet.write_formula(2, 1, "=2*1", value=2)


def reasons(place: Place) -> list[tuple[Any, ...]]:
    return place.rows("SELECT cell, reason FROM factload.rejects ORDER BY row")


@pytest.mark.parametrize(
    ("kind", "choice", "metrics"),
    [
        (merged, "reject", ["1.0000", "2.0000", "4.0000"]),
        (merged, "repeat", ["1.0000", "2.0000", "2.0000", "4.0000"]),
        (merged, "blank", ["1.0000", "2.0000", "4.0000"]),
        (stale, "reject", ["1.0000", "4.0000"]),
        (stale, "take", ["0.0000", "1.0000", "2.0000", "4.0000"]),
    ],
)
def test_a_load_takes_what_the_feed_says(
    place: Place, kind: Callable[[Place], None], choice: str, metrics: list[str]
) -> None:
    kind(place)
    field = "merged" if kind is merged else "stale_formulas"
    place.load(place.feed({f"workbook.{field}": choice}))
    assert sorted(metric for _, metric, _ in place.facts()) == metrics
    wanted: dict[tuple[Callable[[Place], None], str], list[tuple[Any, ...]]] = {
        (merged, "reject"): [("B4", "merged_cell")],
        (merged, "blank"): [("B4", "blank_value")],
        (stale, "reject"): [("B3", "stale_formula"), ("B4", "stale_formula")],
    }
    assert reasons(place) == wanted.get((kind, choice), [])


@pytest.mark.parametrize(("kind", "row"), [(merged, 4), (stale, 3)])
def test_what_nobody_corrects_stays_a_reject_and_what_is_typed_is_loaded(
    place: Place, kind: Callable[[Place], None], row: int
) -> None:
    kind(place)
    place.load()
    before, path = reasons(place), place.home / "inbox/rejects.xlsx"
    for value in (None, 2):
        with engine_for(place.url).connect() as connection, path.open("wb") as file:
            write_rejects(file, connection, place.feed(), LOAD)
        loaded = len(place.facts())
        correct(path, row, value)
        replay_load(place.feed(), PERIOD, database=place.url, workbook="inbox/rejects.xlsx", progress=Quiet())
        if value is None:
            assert reasons(place) == before
        else:
            assert len(place.facts()) == loaded + 1
            assert f"B{row}" not in [cell for cell, _ in reasons(place)]


def correct(path: Path, row: int, value: int | None) -> None:
    workbook = openpyxl.load_workbook(path)
    sheet = first_sheet(workbook)
    names = [cell.value for cell in sheet[1]]
    for line in sheet.iter_rows(min_row=2):
        metric = line[names.index("metric")]
        assert metric.value is None  # nothing is shown that could be taken for the value
        if line[names.index("factload row")].value == row and value is not None:
            metric.value = value
    workbook.save(path)
