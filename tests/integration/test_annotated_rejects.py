"""`factload rejects LOAD --xlsx F --annotated`: the sender's own workbook with the rejected cells marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from factload.errors import FactloadError, FeedError, WorkbookError
from factload.reports.annotated.rejects import annotate_rejects
from tests.integration.commands import factload
from tests.integration.place import Place
from tests.workbooks import first_sheet, write_rows

LOAD = "sales@2026-11-05"
HEADER = ("business_key", "metric", "twice")
ROWS = (("A1", 1, "=B2*2"), ("nobody", 2.5, "=B3*2"), ("B2", "n/a", None), ("A1", 4, "=B5*2"))


def sent(place: Place, name: str = "sales") -> Path:
    """A workbook with two good rows, two wrong ones and formulas beside them."""
    return write_rows(place.home / f"inbox/{name}_2026-11-05.xlsx", [HEADER, *ROWS])


def annotated(place: Place, workbook: str | None = None) -> Path:
    target = place.home / "annotated.xlsx"
    with place.engine.connect() as connection, target.open("wb") as file:
        annotate_rejects(file, connection, LOAD, workbook)
    return target


def refusal(place: Place, kind: type[FactloadError], workbook: str | None = None) -> str:
    with pytest.raises(kind) as refused:
        annotated(place, workbook)
    return str(refused.value)


def marked(path: Path) -> dict[str, str]:
    """The marked cells, each with its comment."""
    sheet: Any = first_sheet(openpyxl.load_workbook(path))
    cells = (cell for row in sheet.iter_rows() for cell in row)
    return {cell.coordinate: cell.comment.text for cell in cells if cell.fill.fill_type}


def test_the_rejected_cells_are_marked_each_with_its_reason_and_corrected_it_loads(place: Place) -> None:
    inbox = sent(place)
    place.load()
    target = place.home / "a.xlsx"
    result = factload("rejects", LOAD, "--xlsx", str(target), "--annotated", "--json")
    assert json.loads(result.stdout) == {"workbook": str(target), "cells": 2, "notes": []}
    assert marked(target) == {
        "A3": "No member of the dimension has this key (unmatched_key)",
        "B4": "The cell doesn't hold a number (not_a_number)",
    }
    book = openpyxl.load_workbook(target)
    assert first_sheet(book)["C3"].value == "=B3*2"
    first_sheet(book)["A3"].value, first_sheet(book)["B4"].value = "B2", 3
    book.save(inbox)
    assert "is not there any more as it was read" in refusal(place, WorkbookError)
    place.load()
    assert sorted(fact[1] for fact in place.facts()) == ["1.0000", "2.5000", "3.0000", "4.0000"]
    assert refusal(place, FeedError) == f"{LOAD} has no rejected rows."


def test_of_several_workbooks_one_is_named(place: Place) -> None:
    sent(place, "north")
    write_rows(place.home / "inbox/south_2026-11-05.xlsx", [HEADER, ("A1", "none")])
    place.load(place.feed({"workbook.path": "inbox/*_{period}.xlsx", "max_rejects": "100%"}))
    seen = refusal(place, FeedError)
    assert f"rows of 2 workbooks of {LOAD} were rejected" in seen
    assert "Name it with --workbook" in seen
    assert list(marked(annotated(place, "south_2026-11-05.xlsx"))) == ["B2"]
    assert list(marked(annotated(place, "inbox/north_2026-11-05.xlsx"))) == ["A3", "B4"]
    assert "has no one workbook east.xlsx" in refusal(place, FeedError, "east.xlsx")
    alone = factload("rejects", LOAD, "--annotated")
    assert (alone.returncode, "--annotated needs a file to write" in alone.stderr) == (2, True)
