"""How cells are shown in a rejects workbook, and which of those that come back a person has changed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from factload.corrections.shown_cells import CUT, LONGEST_TEXT, Saved, Shown, is_changed, keeps_sign, show
from factload.reports.rejects_workbook import shown_cell
from factload.sheet.block import Kind
from factload.sheet.source import open_source

TEXT, NUMBER, SERIAL, BOOLEAN, ISO, ERROR, NO_VALUE, BLANK = (
    *(
        Kind.TEXT,
        Kind.NUMBER,
        Kind.SERIAL,
        Kind.BOOLEAN,
        Kind.ISO_DATE,
        Kind.ERROR,
        Kind.NO_VALUE,
        Kind.BLANK,
    ),
)
Cell = tuple[Kind, str]


def shown(cell: Cell) -> Shown:
    return show(*cell, date1904=False)


def written_and_read(cells: list[Shown], folder: Path, *, saved_again: bool) -> list[Cell]:
    """The cells as they come back, from one row of a workbook."""
    path = folder / "rejects.xlsx"
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("S")
    sheet.append([shown_cell(sheet, cell) for cell in [*cells, Shown("text", "end")]])
    workbook.save(path)
    if saved_again:
        openpyxl.load_workbook(path).save(path)
    with open_source(path) as opened:
        [row] = opened.all_rows(opened.sheets[0])
    return [row.cells.get(index, (BLANK, "")) for index in range(1, len(cells) + 1)]


ANY_TEXT = st.text(
    st.one_of(
        st.sampled_from(
            "\0\x01\x08\x0b\x1f\t\r\n ab_x0041_xD83D__\x7f\x85\u2028\ufeff\ufffe\uffff\ufffd\u2401😀é'=#"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=30,
)
MARKED = st.sampled_from(["\0x0000_", "a\0xD800_b"])  # what no database stores, as the reader marks it
CELLS = st.one_of(
    st.one_of(ANY_TEXT, MARKED).map(lambda text: (TEXT, text)),
    st.decimals(allow_nan=False, allow_infinity=False, places=6).map(lambda number: (NUMBER, str(number))),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda number: (NUMBER, repr(number))),
    st.floats(0, 2_958_465, exclude_max=True).map(lambda number: (SERIAL, repr(number))),
    st.sampled_from([(BOOLEAN, "0"), (BOOLEAN, "1"), (BLANK, "")]),
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda day: (ISO, day.isoformat())),
    st.sampled_from(["#N/A", "#DIV/0!", "#REF!", "#SPILL!", "Err:502"]).map(lambda error: (ERROR, error)),
    st.just((NO_VALUE, "=1+1")),
)


@pytest.mark.parametrize("saved_again", [False, True])
def test_whatever_a_cell_holds_it_comes_back_unchanged(saved_again: bool) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(CELLS, min_size=1, max_size=20))
    def holds(cells: list[Cell]) -> None:
        with TemporaryDirectory() as folder:
            there = [shown(cell) for cell in cells]
            back = written_and_read(there, Path(folder), saved_again=saved_again)
        for cell, was, came in zip(cells, there, back, strict=True):
            assert not is_changed(was, *came, Saved()), (cell, was, came)

    holds()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\x01b", "a\u2401b"),
        ("a\ufffeb", "a\ufffdb"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("_x0041_", "_x0041_"),
        ("a\0x0000_b", "a_x0000_b"),
        ("x" * LONGEST_TEXT, "x" * LONGEST_TEXT),
        ("x" * 40_000, "x" * (LONGEST_TEXT - len(CUT)) + CUT),
        ("😀" * 20_000, "😀" * ((LONGEST_TEXT - len(CUT)) // 2) + CUT),
    ],
)
def test_what_a_workbook_cannot_hold_is_shown_by_signs(text: str, seen: str, tmp_path: Path) -> None:
    was = shown((TEXT, text))
    assert was.value == seen
    [came] = written_and_read([was], tmp_path, saved_again=False)
    assert came[1] in (seen, "a\0x0000_b" if "\0" in text else seen)
    assert not is_changed(was, *came, Saved())
    stands_for_another = CUT in seen or any(c in text for c in "\x01\ufffe\0")
    assert keeps_sign(was, seen + "!") is stands_for_another
    assert not keeps_sign(was, "typed anew")


XLS = Saved(by_calamine=True)
CSV = Saved(texts_alone=True)


@pytest.mark.parametrize(
    ("cell", "came", "saved"),
    [
        ((NUMBER, "0.1"), (NUMBER, "0.10000000000000001"), Saved()),
        ((NUMBER, "1234567.8912345678"), (NUMBER, "1234567.89123457"), Saved()),  # 15 digits: LibreOffice
        ((SERIAL, "45351.4375"), (ISO, "2024-02-29T10:30:00"), XLS),
        ((SERIAL, "45351"), (SERIAL, "43889"), Saved(date1904=True)),
        ((SERIAL, "0.5"), (Kind.ELAPSED, "0.5"), Saved()),
        ((Kind.TIME, "0.5"), (Kind.ELAPSED, "0.5"), Saved()),
        ((SERIAL, "0.5"), (NUMBER, "0.5"), XLS),
        ((ISO, "2024-02-29"), (SERIAL, "45351"), Saved()),
        ((BOOLEAN, "1"), (NUMBER, "1"), XLS),
        ((ERROR, "#N/A"), (TEXT, "#N/A"), CSV),
        ((ERROR, "#N/A"), (BLANK, ""), XLS),  # an .ods workbook keeps no errors
        ((ERROR, "#N/A"), (ERROR, "#VALUE!"), Saved()),
        ((NO_VALUE, "=1+1"), (TEXT, "=1+1"), Saved()),
        ((TEXT, "  "), (BLANK, ""), Saved()),
        ((TEXT, "a\tb"), (TEXT, "ab"), XLS),
        ((TEXT, "a\r\nb"), (TEXT, "a\nb"), Saved()),
        ((BLANK, ""), (TEXT, " "), Saved()),
        ((NUMBER, "2.5"), (TEXT, "2.5"), CSV),
        ((SERIAL, "45351.4375"), (TEXT, "2024-02-29 10:30:00"), CSV),
        ((BOOLEAN, "0"), (TEXT, "FALSE"), CSV),
        ((TEXT, " 007"), (TEXT, "007"), CSV),
    ],
)
def test_what_another_program_makes_of_a_cell_is_no_correction(cell: Cell, came: Cell, saved: Saved) -> None:
    assert not is_changed(shown(cell), *came, saved)


@pytest.mark.parametrize(
    ("cell", "came", "saved"),
    [
        ((NUMBER, "2.5"), (NUMBER, "2.50000001"), Saved()),
        ((NUMBER, "12345678901234567"), (TEXT, "12345678901234567"), Saved()),  # the digits typed as text
        ((NUMBER, "2.5"), (BLANK, ""), Saved()),
        ((NUMBER, "45351"), (SERIAL, "45351"), Saved()),  # formatted as a date
        ((SERIAL, "45351"), (NUMBER, "45351"), Saved()),  # and as a number
        ((Kind.TIME, "0.5"), (NUMBER, "0.5"), Saved()),
        ((NUMBER, "1"), (BOOLEAN, "1"), Saved()),
        ((SERIAL, "45351"), (SERIAL, "45352"), Saved()),
        ((SERIAL, "45351"), (SERIAL, "45351"), Saved(date1904=True)),
        ((SERIAL, "0.5"), (SERIAL, "0.75"), Saved()),
        ((BOOLEAN, "1"), (BOOLEAN, "0"), Saved()),
        ((ERROR, "#N/A"), (BLANK, ""), Saved()),
        ((ERROR, "#N/A"), (NUMBER, "3"), XLS),
        ((NO_VALUE, "=1+1"), (NUMBER, "2"), Saved()),
        ((TEXT, "007"), (NUMBER, "7"), Saved()),
        ((TEXT, "a  b"), (TEXT, "a b"), Saved()),
        ((TEXT, "a\x01b"), (TEXT, "ab"), Saved()),
        ((TEXT, "_x0041_"), (TEXT, "A1"), Saved()),
        ((TEXT, "a"), (BLANK, ""), Saved()),
        ((TEXT, "a"), (ERROR, "#N/A"), Saved()),
        ((BLANK, ""), (NUMBER, "0"), Saved()),
        ((NUMBER, "2.5"), (TEXT, "2,6"), CSV),
        ((SERIAL, "45351"), (TEXT, "29.02.2024"), CSV),
    ],
)
def test_what_a_person_types_is_a_correction(cell: Cell, came: Cell, saved: Saved) -> None:
    assert is_changed(shown(cell), *came, saved)
