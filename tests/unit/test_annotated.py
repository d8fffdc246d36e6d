"""A workbook with cells marked is the sender's own: what isn't marked is as it was, byte for byte or cell for cell."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from xlsxwriter.workbook import Workbook

from factload.errors import WorkbookError
from factload.reports.annotated.workbook import COMMENTS, Annotated, Mark, annotate
from factload.sheet.source import open_source

GROUND = "FFFFC7CE"
PIXEL = b"\x89PNG\r\n\x1a\n" + b"".join(
    struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\0\0\0")),
        (b"IEND", b""),
    )
)
CHANGED = {
    "[Content_Types].xml",
    "xl/styles.xml",
    "xl/worksheets/sheet1.xml",
    "xl/worksheets/_rels/sheet1.xml.rels",
}


def rich(path: Path, *, comments: bool = False) -> Path:
    """A workbook with what people put into workbooks."""
    book = Workbook(path)
    sheet = book.add_worksheet("Facts")
    money = book.add_format({"num_format": "#,##0.00", "border": 1, "bold": True})
    sheet.write_row(0, 0, ["key", "metric", "day", "twice"])
    for row in range(1, 60):
        sheet.write(row, 0, f"P{row:07d}")
        sheet.write(row, 1, row / 4, money)
        sheet.write_datetime(row, 2, datetime(2026, 11, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_formula(row, 3, f"=B{row + 1}*2", None, row / 2)
    sheet.write_rich_string(70, 0, "a", book.add_format({"italic": True}), " slanted", " word")
    sheet.data_validation("A2:A60", {"validate": "list", "source": ["P0000001", "P0000002"]})
    sheet.data_validation("B2:B60", {"validate": "list", "source": "=Others!$A$1:$A$5"})
    sheet.conditional_format("B2:B60", {"type": "data_bar", "data_bar_2010": True})
    sheet.add_sparkline("F2", {"range": "Facts!B2:B60"})
    sheet.merge_range("A75:B77", "merged")
    sheet.insert_image("H2", "pixel.png", {"image_data": io.BytesIO(PIXEL)})
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Facts!$B$2:$B$60"})
    sheet.insert_chart("H10", chart)
    sheet.set_header("&L&G", {"image_left": "pixel.png", "image_data_left": io.BytesIO(PIXEL)})
    sheet.write_url("A80", "https://example.invalid/")
    sheet.protect("secret")
    if comments:
        sheet.write_comment("B3", "Ask Ann", {"author": "Ann"})
        sheet.write_comment("C5", "Ask Bob")
    others = book.add_worksheet("Others")
    others.add_table("A1:B5", {"columns": [{"header": "x"}, {"header": "y"}]})
    others.write_comment("A2", "of another sheet")
    book.define_name("keys", "=Facts!$A$2:$A$60")
    book.set_properties({"title": "Facts of November"})
    book.close()
    return path


def annotated(path: Path, marks: list[Mark], sheet: str = "Facts") -> tuple[Path, Annotated]:
    """The workbook with these marks, beside it."""
    made = path.with_name(f"annotated-{path.name}")
    with made.open("wb") as file:
        return made, annotate(file, path, {sheet: marks})


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def rows(path: Path) -> list[tuple[str, int, Any]]:
    """All that the reader sees in it."""
    with open_source(path) as source:
        return [
            (sheet.name, row.number, dict(row.cells))
            for sheet in source.sheets
            for row in source.all_rows(sheet)
        ]


def ground(cell: Any) -> str | None:
    return cell.fill.fgColor.rgb if cell.fill.patternType == "solid" else None


MARKS = [
    Mark(3, 2, "must hold a number"),
    Mark(5, 3, "must be a day"),
    Mark(60, 5, "is blank"),
    Mark(9, 1, "a < b & c"),
]


def test_the_marked_cells_have_a_ground_and_a_comment_and_keep_the_rest_of_their_style(
    tmp_path: Path,
) -> None:
    path = rich(tmp_path / "facts.xlsx")
    made, done = annotated(path, MARKS)
    assert (done.cells, done.notes) == (4, [])
    before, after = (openpyxl.load_workbook(each)["Facts"] for each in (path, made))
    for mark in MARKS:
        cell: Any = after.cell(mark.row, mark.column)
        was: Any = before.cell(mark.row, mark.column)
        assert (ground(cell), ground(was)) == (GROUND, None)
        assert cell.comment.text == mark.words
        look, looked = ([c.number_format, repr(c.font), repr(c.border)] for c in (cell, was))
        assert look == looked
    others = [cell for line in after.iter_rows() for cell in line if ground(cell) or cell.comment]
    assert {(cell.row, cell.column) for cell in others} == {(mark.row, mark.column) for mark in MARKS}


def test_every_member_but_those_of_the_marked_sheet_is_the_same_and_in_its_place(tmp_path: Path) -> None:
    path = rich(tmp_path / "facts.xlsx")
    made, _ = annotated(path, MARKS)
    before, after = members(path), members(made)
    assert {name for name in before if before[name] != after[name]} == CHANGED
    assert [name for name in after if name in before] == list(before)
    assert set(after) - set(before) == {"xl/commentsFactload1.xml", "xl/drawings/vmlDrawingFactload1.vml"}
    for kind in ("xl/charts/", "xl/media/", "xl/tables/", "xl/drawings/", "docProps/"):
        assert any(name.startswith(kind) for name in before), kind


def test_of_the_marked_sheet_only_the_marked_cells_and_a_link_are_other_bytes(tmp_path: Path) -> None:
    path = rich(tmp_path / "facts.xlsx")
    made, _ = annotated(path, MARKS)
    before, after = (members(each)["xl/worksheets/sheet1.xml"].decode() for each in (path, made))
    tags = {f'<c r="{place}"' for place in ("B3", "C5", "A9")}
    changed = [(b, a) for b, a in zip(before.split("<c "), after.replace('<c r="E60" s="4"/>', "").split("<c "), strict=True) if b != a]  # fmt: skip
    assert len(changed) == len(tags) + 1
    assert "x14:sparkline" in after
    assert "legacyDrawing " in changed[-1][1]
    assert rows(path) == [
        (s, n, {c: v for c, v in cells.items() if (n, c) != (60, 5)}) for s, n, cells in rows(made)
    ]


def test_comments_that_are_there_are_kept_and_gone_on_with(tmp_path: Path) -> None:
    path = rich(tmp_path / "facts.xlsx", comments=True)
    made, _ = annotated(path, MARKS)
    sheet = openpyxl.load_workbook(made)["Facts"]
    assert sheet["B3"].comment.text == "Ask Ann\nfactload: must hold a number"
    assert sheet["B3"].comment.author == "Ann"
    assert sheet["C5"].comment.text == "Ask Bob\nfactload: must be a day"
    assert sheet["A9"].comment.text == "a < b & c"
    drawing = members(made)["xl/drawings/vmlDrawing1.vml"]
    assert drawing.count(b'ObjectType="Note"') == 4
    assert members(path)["xl/drawings/vmlDrawing1.vml"].count(b'ObjectType="Note"') == 2
    assert openpyxl.load_workbook(made)["Others"]["A2"].comment.text == "of another sheet"
    assert not [name for name in members(made) if "Factload" in name]


def test_what_was_annotated_is_annotated_again(tmp_path: Path) -> None:
    once, _ = annotated(rich(tmp_path / "facts.xlsx"), MARKS[:2])
    twice, _ = annotated(once, MARKS[1:])
    sheet = openpyxl.load_workbook(twice)["Facts"]
    assert sheet["B3"].comment.text == "must hold a number"
    assert sheet["C5"].comment.text == "must be a day\nfactload: must be a day"
    assert (ground(sheet["E60"]), sheet["E60"].comment.text) == (GROUND, "is blank")


def test_a_cell_that_a_merged_range_hides_is_marked_where_it_is_seen(tmp_path: Path) -> None:
    made, done = annotated(rich(tmp_path / "facts.xlsx"), [Mark(77, 2, "one"), Mark(76, 1, "two")])
    sheet = openpyxl.load_workbook(made)["Facts"]
    assert (done.cells, ground(sheet["A75"]), sheet["A75"].comment.text) == (1, GROUND, "one\ntwo")


def test_of_very_many_marked_cells_the_first_have_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "many.xlsx"
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Facts")
    for number in range(COMMENTS + 5):
        sheet.append([number])
    book.save(path)
    made, done = annotated(path, [Mark(row, 1, "no") for row in range(1, COMMENTS + 6)])
    assert done.notes == ["sheet Facts: 10,005 cells are marked, and the first 10,000 have a comment"]
    sheet = openpyxl.load_workbook(made)["Facts"]
    assert [ground(sheet.cell(row, 1)) for row in (1, COMMENTS + 5)] == [GROUND, GROUND]
    assert [bool(sheet.cell(row, 1).comment) for row in (COMMENTS, COMMENTS + 1)] == [True, False]


def repacked(path: Path, change: Mapping[str, Callable[[bytes], bytes | None]]) -> Path:
    """The workbook with members changed; those that become None are left out."""
    held = members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            new = change[name](data) if name in change else data
            if new is not None:
                archive.writestr(name, new)
    return path


def plain(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Facts"
    for row in ([1, 2, 3], [4, None, 6], [7, 8, 9]):
        sheet.append(row)
    book.save(path)
    return path


SHEET = "xl/worksheets/sheet1.xml"


def test_names_with_a_prefix_rows_without_numbers_and_a_row_without_cells(tmp_path: Path) -> None:
    rows = (
        b'<?xml version="1.0"?><x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<x:cols><x:col min="2" max="3" width="9" style="0"/></x:cols>'
        b"<x:sheetData><x:row><x:c><x:v>1</x:v></x:c><x:c><x:v>2</x:v></x:c></x:row><x:row/>"
        b'<x:row r="4" a=">"><x:c r="B4" t="inlineStr"><x:is><x:t>a&lt;c</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>'
    )
    path = repacked(plain(tmp_path / "facts.xlsx"), {SHEET: lambda _: rows})
    made, _ = annotated(path, [Mark(1, 2, "a"), Mark(2, 1, "b"), Mark(4, 1, "c"), Mark(4, 4, "d")])
    sheet = openpyxl.load_workbook(made)["Facts"]
    marked = [cell.coordinate for line in sheet.iter_rows() for cell in line if ground(cell) and cell.comment]
    assert marked == ["B1", "A2", "A4", "D4"]
    assert [sheet["A1"].value, sheet["B1"].value, sheet["B4"].value] == [1, 2, "a<c"]


def test_a_workbook_without_styles_gets_some(tmp_path: Path) -> None:
    path = plain(tmp_path / "facts.xlsx")
    without = {
        "xl/styles.xml": lambda _: None,
        "[Content_Types].xml": lambda data: data.replace(b"/xl/styles.xml", b"/xl/gone.xml"),
        "xl/_rels/workbook.xml.rels": lambda data: data.replace(
            b"relationships/styles", b"relationships/others"
        ),
    }
    made, _ = annotated(repacked(path, without), [Mark(2, 2, "blank")])
    assert ground(openpyxl.load_workbook(made)["Facts"]["B2"]) == GROUND


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({SHEET: lambda data: data.replace(b"<row", b"<!-- <row> --><row", 1)}, "comments or marked text"),
        ({SHEET: lambda data: data.decode().encode("utf-16")}, "no rows where"),
        ({SHEET: lambda data: data.replace(b'<row r="3"', b'<row r="30"')}, "no row 3"),
        ({"xl/styles.xml": lambda data: data.replace(b"cellXfs", b"cellXfz")}, "no fills, or no formats"),
        ({"xl/styles.xml": lambda data: data + b" " * (8 << 20)}, "more than 8,388,608"),
        ({"xl/workbook.xml": lambda data: data.replace(b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main")}, "Strict Open XML"),
    ],
)  # fmt: skip
def test_what_can_t_be_marked_is_refused_in_a_sentence(tmp_path: Path, change: Any, said: str) -> None:
    path = repacked(plain(tmp_path / "facts.xlsx"), change)
    with pytest.raises(WorkbookError, match=said) as refused:
        annotated(path, [Mark(3, 1, "no")])
    assert refused.value.code == "annotated_unfit"
    assert "--annotated" in refused.value.remedy


@pytest.mark.parametrize(("name", "kind"), [("facts.csv", "csv"), ("facts.xls", "xls")])
def test_another_kind_of_file_is_refused_by_its_name(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"a,b\n1,2\n" if kind == "csv" else b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096))
    with pytest.raises(WorkbookError, match=f"is of the kind {kind}, whose cells can't be marked"):
        annotated(path, [Mark(1, 1, "no")])


CELLS = st.dictionaries(
    st.integers(1, 30),
    st.dictionaries(st.integers(1, 6), st.one_of(st.text("ab<&_x0041_", max_size=9), st.integers(), st.booleans()), min_size=1),
    min_size=1,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(cells=CELLS, data=st.data())
def test_whatever_is_marked_no_value_changes(
    cells: dict[int, dict[int, Any]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "facts.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Facts")
    for row, line in cells.items():
        for column, value in line.items():
            sheet.write(row - 1, column - 1, value)
    book.close()
    marks = [
        Mark(row, data.draw(st.integers(1, 8)), "a reason")
        for row in data.draw(st.sets(st.sampled_from(sorted(cells))))
    ]
    with zipfile.ZipFile(path) as archive:
        written = archive.read(SHEET).decode()
    marks = [mark for mark in marks if f'<row r="{mark.row}"' in written]
    assume(marks)
    made, done = annotated(path, marks)
    assert done.cells == len(marks)
    seen = openpyxl.load_workbook(made)["Facts"]
    assert {(c.row, c.column) for line in seen.iter_rows() for c in line if ground(c)} == {
        (m.row, m.column) for m in marks
    }

    def filled(path: Path) -> list[Any]:
        kept = [(n, {c: v for c, v in cells.items() if v[1] != ""}) for _, n, cells in rows(path)]
        return [each for each in kept if each[1]]

    assert filled(made) == filled(path)


def test_a_thread_of_comments_is_left_and_told_of(tmp_path: Path) -> None:
    path = plain(tmp_path / "facts.xlsx")
    book = openpyxl.load_workbook(path)
    book["Facts"]["A3"].comment = Comment("[Threaded comment]", "tc={0A0B}")
    book.save(path)
    _, done = annotated(path, [Mark(3, 1, "no"), Mark(1, 1, "no")])
    assert done.notes == ["sheet Facts: 1 marked cells have a thread of comments, which hides the reason"]
