"""What a workbook has saved of its formulas counts only where it doesn't say itself that it is out of date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from factload.errors import WorkbookError
from factload.sheet.choices import CellChoices
from factload.sheet.source import open_source
from tests import expected, oracle, sheetxml

FIELDS = [
    expected.field("K", "text", key=True),
    expected.field("N", "numeric(12,2)"),
    expected.field("T", "text"),
]
HEADER = sheetxml.text_row(1, ["K", "N", "T"])
FORMULA, EMPTY = "<f>B1*2</f>", '<c r="C{row}" t="str"><f>A1&amp;""</f><v></v></c>'
AXLSX = '<sheetCalcPr fullCalcOnLoad="1"/>'
Rows = list[dict[str, Any]]


def key(row: int, text: str = "k") -> str:
    return f'<c r="A{row}" t="inlineStr"><is><t>{text}</t></is></c>'


def number(row: int, formula: str = "", value: str = "<v>9.5</v>") -> str:
    return f'<c r="B{row}">{formula}{value}</c>'


def sheet(*rows: str, exact: bool = False, tail: str = "") -> str:
    lines = "".join(f'<row r="{i}">{cells}</row>' for i, cells in enumerate(rows, 2))
    return sheetxml.sheet(HEADER + ("<!-- exact -->" if exact else "") + lines, tail=tail)


def load(path: Path, xml: str, *, stale: bool = True, choice: str = "reject") -> Rows:
    sheetxml.write(path / "w.xlsx", xml, stale=stale)
    cells = CellChoices(stale_formulas=choice)  # type: ignore[arg-type]
    return expected.split(path / "w.xlsx", FIELDS, cells=cells)[1]


def reasons(rows: Rows) -> list[tuple[str | None, str | None]]:
    return [(row["reason"], row["cell"]) for row in rows]


@pytest.mark.parametrize("exact", [False, True], ids=["plain", "exact"])
@pytest.mark.parametrize("tail", ["", AXLSX], ids=["workbook", "sheet"])
def test_a_stale_formula_is_a_reject_and_a_value_is_not(tmp_path: Path, exact: bool, tail: str) -> None:
    xml = sheet(key(2) + number(2), key(3) + number(3, FORMULA), exact=exact, tail=tail)
    rows = load(tmp_path, xml, stale=not tail)
    assert reasons(rows) == [(None, None), ("stale_formula", "B3")]
    assert rows[1]["raw"] == "9.5"


@pytest.mark.parametrize("exact", [False, True], ids=["plain", "exact"])
def test_the_feed_may_take_what_is_saved(tmp_path: Path, exact: bool) -> None:
    xml = sheet(key(2) + number(2, FORMULA), exact=exact, tail=AXLSX)
    assert reasons(load(tmp_path, xml, choice="take")) == [(None, None)]


@pytest.mark.parametrize("flag", ["0", "false", ""])
def test_a_workbook_that_does_not_say_so_is_believed(tmp_path: Path, flag: str) -> None:
    xml = sheet(key(2) + number(2, FORMULA), tail=AXLSX.replace("1", flag))
    assert reasons(load(tmp_path, xml, stale=False)) == [(None, None)]


@pytest.mark.parametrize("exact", [False, True], ids=["plain", "exact"])
def test_a_stale_empty_text_is_no_blank_cell(tmp_path: Path, exact: bool) -> None:
    xml = sheet(key(2) + EMPTY.format(row=2), exact=exact)
    assert reasons(load(tmp_path, xml)) == [("stale_formula", "C2")]
    assert reasons(load(tmp_path, xml, stale=False)) == [(None, None)]


@pytest.mark.parametrize("exact", [False, True], ids=["plain", "exact"])
def test_a_row_of_nothing_but_a_stale_empty_text_counts(tmp_path: Path, exact: bool) -> None:
    sheetxml.write(tmp_path / "w.xlsx", sheet(EMPTY.format(row=2), exact=exact), stale=True)
    done, rows = expected.split(tmp_path / "w.xlsx", FIELDS)
    assert (done.source, reasons(rows)) == (1, [("blank_key", "A2")])


def test_an_error_is_an_error_and_a_formula_without_a_value_has_none(tmp_path: Path) -> None:
    error = '<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    rows = load(tmp_path, sheet(key(2) + error, key(3) + number(3, FORMULA, "")))
    assert reasons(rows) == [("error_cell", "B2"), ("formula_without_value", "B3")]


def test_an_unmapped_stale_formula_rejects_nothing(tmp_path: Path) -> None:
    xml = sheet(key(2) + number(2) + '<c r="D2"><f>1</f><v>0</v></c>')
    assert reasons(load(tmp_path, xml)) == [(None, None)]


def test_a_stale_header_is_no_name(tmp_path: Path) -> None:
    xml = sheet(key(2)).replace(
        '<c r="B1" t="inlineStr"><is><t>N</t></is></c>', '<c r="B1" t="str"><f>"N"</f><v>N</v></c>'
    )
    with pytest.raises(WorkbookError) as caught:
        load(tmp_path, xml)
    assert caught.value.code == "header_missing"
    assert reasons(load(tmp_path, xml, stale=False)) == [(None, None)]


def test_what_xlsxwriter_writes_for_formulas_is_not_loaded(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "w.xlsx")) as workbook:
        sheet = workbook.add_worksheet("Facts")
        sheet.write_row(0, 0, ["K", "N", "T"])
        for row in range(1, 4):
            sheet.write_row(row, 0, [f"k{row}", row, "text"])
        sheet.write_formula(1, 1, "=2*9.5")
        sheet.write_formula(2, 2, '=A3&"-"')
        sheet.write_array_formula("B4:C4", "{=A1:B1*2}")
    _, rows = expected.split(tmp_path / "w.xlsx", FIELDS)
    assert reasons(rows) == [("stale_formula", "B2"), ("stale_formula", "C3"), ("stale_formula", "B4")]
    wanted = expected.rows(oracle.Workbook(tmp_path / "w.xlsx"), 1, [1, 2, 3], FIELDS)
    assert list(map(expected.clean, rows)) == list(map(expected.clean, wanted))


def array(row: int, reference: str, value: str = "", kind: str = "array") -> str:
    return f'<c r="B{row}"><f t="{kind}" ref="{reference}">A1:A3*2</f>{value}</c>'


@pytest.mark.parametrize("kind", ["array", "dataTable"])
def test_every_cell_of_an_array_formula_that_was_never_calculated_has_no_value(
    tmp_path: Path, kind: str
) -> None:
    xml = sheet(key(2) + array(2, "B2:B4", kind=kind), key(3), key(4) + '<c r="B4"/>', key(5))
    rows = load(tmp_path, xml, stale=False)
    assert reasons(rows) == [
        ("formula_without_value", "B2"),
        ("formula_without_value", "B3"),
        ("formula_without_value", "B4"),
        (None, None),
    ]
    assert {row["raw"] for row in rows[:3]} == {"=A1:A3*2"}


@pytest.mark.parametrize("reference", ["B2:C2", "A1:C2", "$B$2:$C$2"])
def test_an_array_formula_may_fill_columns_beside_its_own(tmp_path: Path, reference: str) -> None:
    rows = load(tmp_path, sheet(array(2, reference).replace("B2", "B2", 1) + "", key(3)), stale=False)
    assert [row["reason"] for row in rows][-1] is None
    xml = sheet('<c r="A2"/>' + array(2, "B2:C3"), key(3)).replace("N</t>", "X</t>")
    one = [expected.field("K", "text", key=True), expected.field("T", "text")]
    sheetxml.write(tmp_path / "w.xlsx", xml)
    _, found = expected.split(tmp_path / "w.xlsx", one)
    assert [(row["row"], row["reason"], row["cell"]) for row in found] == [
        (2, "blank_key", "A2"),
        (3, "formula_without_value", "C3"),
    ]


def test_cells_that_a_stale_array_formula_fills_are_stale_or_empty(tmp_path: Path) -> None:
    xml = sheet(key(2) + array(2, "B2:B4", "<v>1</v>"), key(3) + number(3), key(4), key(5) + number(5))
    assert reasons(load(tmp_path, xml)) == [
        ("stale_formula", "B2"),
        ("stale_formula", "B3"),
        ("formula_without_value", "B4"),
        (None, None),
    ]


def test_an_array_formula_of_one_cell_fills_no_other(tmp_path: Path) -> None:
    xml = sheet(key(2) + array(2, "B2"), key(3))
    assert reasons(load(tmp_path, xml, stale=False)) == [("formula_without_value", "B2"), (None, None)]


def test_rows_read_one_by_one_hold_the_same(tmp_path: Path) -> None:
    xml = sheet(
        key(2) + array(2, "B2:B3"), key(3), key(4) + '<c r="C4" t="str"><f>1</f><v>x</v></c>', tail=AXLSX
    )
    sheetxml.write(tmp_path / "w.xlsx", xml)
    with open_source(tmp_path / "w.xlsx") as source:
        rows = list(source.all_rows(source.sheets[0], header_row=1, columns=[1, 2, 3]))
    assert [{i: kind.name for i, (kind, _) in row.cells.items()} for row in rows[1:]] == [
        {1: "TEXT", 2: "NO_VALUE"},
        {1: "TEXT", 2: "NO_VALUE"},
        {1: "TEXT", 3: "STALE"},
    ]


@pytest.mark.parametrize("kind", ["str", "n", "b", "s", "e", "d", ""])
@pytest.mark.parametrize("value", ["", "<v>0</v>"], ids=["alone", "beside a value"])
def test_an_inline_text_in_a_cell_of_another_type_is_a_reject(tmp_path: Path, kind: str, value: str) -> None:
    written = f' t="{kind}"' if kind else ""
    cell = f'<c r="C2"{written}>{value}<is><t>lost</t></is></c>'
    [row] = load(tmp_path, sheet(key(2) + cell), stale=False)
    assert (row["reason"], row["cell"], row["raw"]) == ("ambiguous_cell", "C2", "lost")


def test_what_only_excel_shows_is_a_reject_of_its_own(tmp_path: Path) -> None:
    rich = '<c r="C2" t="e" vm="1"><v>#VALUE!</v></c>'
    error = '<c r="C3" t="e"><v>#VALUE!</v></c>'
    assert reasons(load(tmp_path, sheet(key(2) + rich, key(3) + error), stale=False)) == [
        ("rich_value", "C2"),
        ("error_cell", "C3"),
    ]


@pytest.mark.parametrize("kind", ["n", "b", "e", "d"])
@pytest.mark.parametrize("value", ["<v> </v>", "<is><t>  </t></is>"], ids=["value", "inline"])
def test_white_space_alone_is_blank_whatever_the_type(tmp_path: Path, kind: str, value: str) -> None:
    [row] = load(tmp_path, sheet(key(2) + f'<c r="B2" t="{kind}">{value}</c>'), stale=False)
    assert (row["reason"], row["N"]) == (None, None)
