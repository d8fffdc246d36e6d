"""A text that no database stores is a reject with its cell, whatever holds it; the reject's own text can be stored."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from factload.sheet.source import inspect
from tests import expected, sheetxml

FIELDS = [
    expected.field("K", "text", key=True),
    expected.field("T", "varchar(12)"),
    expected.field("N", "numeric(18,4)"),
]
GOOD = {"K": "k", "T": "t", "N": ""}

# How a piece of text is written, and what it is.
PIECES = {
    "a": "a",
    "é": "é",
    "_x0041_": "A",
    "_x0000_": "\0",
    "_xD800_": "\ud800",
    "_xdfff_": "\udfff",
    "_xD83D__xDE00_": "😀",
    "_xFFFE_": "\ufffe",
    "_x0001_": "\x01",
    "_x005F_x0000_": "_x0000_",
}


def facts(*rows: dict[str, str]) -> str:
    above = [sheetxml.text_row(1, list(GOOD))]
    return sheetxml.sheet(
        "".join(above + [sheetxml.text_row(i, list(row.values())) for i, row in enumerate(rows, 2)])
    )


def storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@settings(max_examples=60, deadline=None)
@given(
    written=st.lists(st.sampled_from(list(PIECES)), min_size=1, max_size=5),
    column=st.sampled_from(["K", "T"]),
)
def test_a_text_is_stored_as_excel_shows_it_or_rejected(written: list[str], column: str) -> None:
    units = "".join(map(PIECES.__getitem__, written)).encode("utf-16-le", "surrogatepass")
    shown = units.decode("utf-16-le", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder:
        path = sheetxml.write(Path(folder, "w.xlsx"), facts(GOOD | {column: "".join(written)}))
        _, [row] = expected.split(path, FIELDS)
    if not storable(shown):
        assert (row["reason"], row["cell"]) == ("unstorable_text", "A2" if column == "K" else "B2")
        assert storable(row["raw"])
    elif column == "K" or len(shown) <= 12:
        assert (row["reason"], row[column]) == (None, shown)
    else:
        assert (row["reason"], row["raw"]) == ("text_too_long", shown)


@pytest.mark.parametrize(("bad", "shown"), [("a_x0000_b", "a_x0000_b"), ("_xd800_", "_xD800_")])
def test_a_reject_for_another_reason_shows_it_escaped(bad: str, shown: str, tmp_path: Path) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", facts(GOOD | {"N": bad}))
    _, [row] = expected.split(path, FIELDS)
    assert (row["reason"], row["raw"]) == ("not_a_number", shown)


def test_a_header_that_holds_one_is_shown_escaped(tmp_path: Path) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(sheetxml.text_row(1, ["K_x0000_", "b"])))
    [sheet] = inspect(path)
    assert sheet.header is not None
    assert sheet.header.names == {1: "K_x0000_", 2: "b"}


def test_an_xls_workbook_with_nul_in_a_cell_s_text(tmp_path: Path) -> None:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Facts")
    for row, texts in enumerate([list(GOOD), ["a\0b", "t", ""], ["k", "t", "n\0"]]):
        for column, text in enumerate(texts):
            sheet.write(row, column, text)
    workbook.save(str(tmp_path / "w.xls"))
    _, rows = expected.split(tmp_path / "w.xls", FIELDS)
    assert [(row["reason"], row["cell"], row["raw"]) for row in rows] == [
        ("unstorable_text", "A2", "a_x0000_b"),
        ("not_a_number", "C3", "n_x0000_"),
    ]
