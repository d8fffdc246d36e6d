"""Of merged cells a person sees the first alone. What the others hold is never loaded; what they show, as the feed says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factload.errors import WorkbookError
from factload.feed.unpivot import Unpivot
from factload.sheet.choices import CellChoices, Merged
from factload.sheet.limits import Limits
from factload.sheet.references import corners, range_of
from factload.sheet.source import open_source
from factload.sheet.xlsx import source as xlsx_source
from tests import expected, oracle, sheetxml

FIELDS = [
    expected.field("K", "text", key=True),
    expected.field("N", "numeric(12,2)"),
    expected.field("T", "varchar(20)"),
]
HEADER, LETTERS = 2, "ABCDEF"
PLACED = {"K": 1, "N": 3, "T": 4}  # columns B and E lie between and beside them
CHOICES = ["reject", "blank", "repeat"]
ACROSS = [
    expected.field("K", "text", key=True),
    expected.field("name", "text"),
    expected.field("value", "text"),
]

Range = tuple[int, int, int, int]


def overlap(one: Range, other: Range) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


@st.composite
def ranges(draw: st.DrawFn) -> list[Range]:
    """Merged ranges below the header, and of it and its neighbours downwards, that don't overlap."""
    found: list[Range] = []
    for _ in range(draw(st.integers(0, 6))):
        top, left = draw(st.integers(1, 12)), draw(st.integers(1, 6))
        high, wide = draw(st.integers(0, 8)), draw(st.integers(0, 3 if top > HEADER else 0))
        one = (top, left, top + high, min(left + wide, 6))
        if not any(overlap(one, other) for other in found) and not (top < HEADER <= top + high):
            found.append(one)
    return found


values = st.sampled_from(["", "", "x", "y ", "7", "-2.5", " "])
grids = st.lists(st.lists(values, min_size=6, max_size=6), min_size=1, max_size=12)


def cell(reference: str, value: str) -> str:
    if not value:
        return f'<c r="{reference}" s="1"/>'
    if value[-1].isdigit():
        return f'<c r="{reference}"><v>{value}</v></c>'
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def sheet(
    grid: list[list[str]], merged: list[Range], odd: bool = False, head: dict[str, int] = PLACED
) -> str:
    names = {column: name for name, column in head.items()}
    top = "".join(cell(f"{letter}{HEADER}", names.get(i, "")) for i, letter in enumerate(LETTERS, 1))
    rows = [f'<row r="{HEADER}">{top}</row>']
    for number, line in enumerate(grid, HEADER + 1):
        cells = "".join(
            cell(f"{letter}{number}", value) for letter, value in zip(LETTERS, line, strict=False)
        )
        rows.append(f'<row r="{number}">{cells}</row>')
    if odd:
        rows.insert(2, "<!-- read exactly -->")
    listed = "".join(f'<mergeCell ref="{range_of(*one)}"/>' for one in merged)
    return sheetxml.sheet("".join(rows), tail=f"<mergeCells>{listed}</mergeCells>")


def load(path: Path, xml: str, merged: str = "reject", **options: Any) -> list[dict[str, Any]]:
    sheetxml.write(path / "w.xlsx", xml)
    return expected.split(path / "w.xlsx", FIELDS, cells=CellChoices(merged), **options)[1]  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    grid=grids,
    merged=ranges(),
    choice=st.sampled_from(CHOICES),
    odd=st.booleans(),
    window_bytes=st.sampled_from([100, 700, 1 << 20]),
    rows_per_partition=st.sampled_from([1, 3, 1000]),
    blanks=st.sampled_from([None, "skip", "keep"]),
)
def test_every_merged_cell_is_what_the_feed_says(
    grid: list[list[str]],
    merged: list[Range],
    choice: Merged,
    odd: bool,
    window_bytes: int,
    rows_per_partition: int,
    blanks: str | None,
) -> None:
    """``blanks``: what becomes of them where two columns become rows; None where none does."""
    names = {"columns": ["N", "T"], "name": "name", "value": "value"}
    unpivot = Unpivot.model_validate({**names, "blanks": blanks}).choice if blanks else None
    fields = ACROSS if blanks else FIELDS
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_source, "WINDOW_BYTES", window_bytes)
        path = sheetxml.write(Path(folder, "w.xlsx"), sheet(grid, merged, odd))
        cells = CellChoices(choice, unpivot=unpivot)
        _, found = expected.split(path, fields, cells=cells, rows_per_partition=rows_per_partition)
        workbook = oracle.Workbook(path)
    pivot = expected.Pivot([PLACED["N"], PLACED["T"]], ["N", "T"], ["", ""], blanks == "keep")
    placed: list[expected.Placed] = [PLACED["K"], "name", "value"] if blanks else [*PLACED.values()]
    wanted = expected.rows(workbook, HEADER, placed, fields, merged=choice, pivot=pivot if blanks else None)
    assert list(map(expected.clean, found)) == list(map(expected.clean, wanted))


@settings(max_examples=60, deadline=None)
@given(grid=grids, merged=ranges(), choice=st.sampled_from(CHOICES))
def test_rows_read_one_by_one_hold_the_same(grid: list[list[str]], merged: list[Range], choice: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        loaded = load(Path(folder), sheet(grid, merged), choice)
        with open_source(Path(folder, "w.xlsx"), cells=CellChoices(choice)) as source:  # type: ignore[arg-type]
            [part] = source.sheets
            rows = {r.number: r for r in source.all_rows(part, header_row=HEADER, columns=PLACED.values())}
    for row in loaded:
        if row["reason"] is None:
            texts = {
                name: rows[row["row"]].cells.get(column, (0, None))[1] for name, column in PLACED.items()
            }
            assert [row["K"], row["T"]] == [texts["K"], texts["T"]]


GRID = [["a", "", "1", "North"], ["b", "", "2", ""], ["c", "", "3", "hidden"]]
DOWN = [(3, 4, 5, 4)]


def test_what_a_merged_cell_shows_is_not_loaded_unasked(tmp_path: Path) -> None:
    rows = load(tmp_path, sheet(GRID, DOWN))
    assert [(row["reason"], row["cell"], row["raw"]) for row in rows] == [
        (None, None, None),
        ("merged_cell", "D4", "North"),
        ("merged_cell", "D5", "North"),
    ]


@pytest.mark.parametrize(("choice", "texts"), [("blank", ["North", None, None]), ("repeat", ["North"] * 3)])
def test_the_feed_says_whether_it_counts_for_every_row(tmp_path: Path, choice: str, texts: list[str]) -> None:
    rows = load(tmp_path, sheet(GRID, DOWN), choice)
    assert [(row["T"], row["reason"]) for row in rows] == [(text, None) for text in texts]


@pytest.mark.parametrize("choice", CHOICES)
def test_what_is_hidden_below_an_empty_cell_is_blank(tmp_path: Path, choice: str) -> None:
    rows = load(tmp_path, sheet([["a", "", "1", ""], ["b", "", "2", "hidden"]], [(3, 4, 4, 4)]), choice)
    assert [(row["T"], row["reason"]) for row in rows] == [(None, None), (None, None)]


@pytest.mark.parametrize("choice", CHOICES)
def test_a_header_two_rows_high_is_no_value(tmp_path: Path, choice: str) -> None:
    merged = [(HEADER, column, HEADER + 1, column) for column in PLACED.values()]
    rows = load(tmp_path, sheet([["", "", "", "", "a unit"], ["a", "", "1", "t"]], merged), choice)
    assert [(row["row"], row["K"], row["reason"]) for row in rows] == [(4, "a", None)]


def test_a_first_cell_may_stand_in_a_column_that_the_feed_does_not_read(tmp_path: Path) -> None:
    grid = [["a", "note", "1", "t"], ["b", "", "2", "t"]]
    [row, other] = load(tmp_path, sheet(grid, [(3, 2, 3, 3)]))
    assert (row["reason"], row["cell"], row["raw"], other["reason"]) == ("merged_cell", "C3", "note", None)


def test_a_repeated_error_is_an_error(tmp_path: Path) -> None:
    xml = sheet([["a", "", "1", "t"], ["b", "", "", "t"]], [(3, 3, 4, 3)])
    xml = xml.replace('<c r="C3"><v>1</v></c>', '<c r="C3" t="e"><v>#N/A</v></c>')
    assert [row["reason"] for row in load(tmp_path, xml, "repeat")] == ["error_cell", "error_cell"]


SPANS = [(row, 3, row, 4) for row in range(HEADER, 6)]


@pytest.mark.parametrize("odd", [False, True], ids=["plain", "exact"])
def test_columns_merged_in_every_row_as_report_servers_do_are_one(tmp_path: Path, odd: bool) -> None:
    grid = [["a", "", "1", "hidden", "t"], ["b", "", "2", "", "t"], ["c", "", "3", "", "t"]]
    head = {"K": 1, "N": 3, "T": 5}
    rows = load(tmp_path, sheet(grid, SPANS, odd, head))
    assert [(row["K"], str(row["N"]), row["T"], row["reason"]) for row in rows] == [
        ("a", "1.00", "t", None),
        ("b", "2.00", "t", None),
        ("c", "3.00", "t", None),
    ]


def test_a_merged_header_with_values_below_its_first_column_alone_is_certain(tmp_path: Path) -> None:
    rows = load(tmp_path, sheet([["a", "", "1", " ", "t"]], SPANS[:1], head={"K": 1, "N": 3, "T": 5}))
    assert [(row["K"], str(row["N"])) for row in rows] == [("a", "1.00")]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("odd", [False, True], ids=["plain", "exact"])
def test_a_merged_header_with_values_below_its_other_columns_is_refused(
    tmp_path: Path, odd: bool, choice: str
) -> None:
    sheetxml.write(
        tmp_path / "w.xlsx",
        sheet([["a", "", "1", "", "t"], ["b", "", "", "2", "t"]], SPANS[:2], odd, {"K": 1, "N": 3, "T": 5}),
    )
    done, _ = expected.split(tmp_path / "w.xlsx", FIELDS, cells=CellChoices(choice))  # type: ignore[arg-type]
    assert [(defect.code, "C2:D2" in defect.seen) for defect in done.defects] == [("header_merged", True)]


def test_a_name_that_merging_hides_is_refused(tmp_path: Path) -> None:
    sheetxml.write(tmp_path / "w.xlsx", sheet([["a", "", "1", "t"]], [(HEADER, 2, HEADER, 3)]))
    done, _ = expected.split(tmp_path / "w.xlsx", FIELDS)
    assert [defect.code for defect in done.defects] == ["header_merged"]


def refusal(path: Path, merged: list[str], **limits: int) -> WorkbookError:
    listed = "".join(f'<mergeCell ref="{reference}"/>' for reference in merged)
    xml = sheet(GRID, []).replace("<mergeCells></mergeCells>", f"<mergeCells>{listed}</mergeCells>")
    sheetxml.write(path / "w.xlsx", xml)
    with pytest.raises(WorkbookError) as caught:
        expected.split(path / "w.xlsx", FIELDS, limits=Limits(**limits))
    return caught.value


def test_ranges_that_overlap_are_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, ["C3:C5", "B4:D4"])
    assert (error.code, "C3:C5 and B4:D4 overlap" in error.seen) == ("workbook_damaged", True)
    header = refusal(tmp_path, [f"A2:D{i}" for i in range(2, 200)])
    assert (header.code, len(str(header)) < 300) == ("workbook_damaged", True)


def test_the_same_range_twice_is_one(tmp_path: Path) -> None:
    rows = load(tmp_path, sheet(GRID, DOWN * 2), "repeat")
    assert [row["T"] for row in rows] == ["North"] * 3


def test_what_is_no_range_is_refused(tmp_path: Path) -> None:
    for reference in ("", "A", "3:4", "A" * 70_000):
        error = refusal(tmp_path, [reference])
        assert (error.code, len(str(error)) < 300) == ("workbook_damaged", True)


def test_the_number_of_ranges_is_bounded(tmp_path: Path) -> None:
    error = refusal(tmp_path, [f"G{i}:H{i}" for i in range(3, 40)], merged_ranges=30)
    assert (error.code, "FACTLOAD_LIMIT_MERGED_RANGES" in error.remedy) == ("workbook_hostile", True)


@pytest.mark.parametrize("reference", ["B2:C4", "C4:B2", "b2:$C$4", " B4:C2 "])
def test_a_range_counts_from_any_of_its_corners(reference: str) -> None:
    assert corners(reference) == (2, 2, 4, 3)
