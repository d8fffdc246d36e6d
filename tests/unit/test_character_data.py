"""White space in texts is kept where ``xml:space`` says so, there or further out (XML 1.0, 2.10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import expected, sheetxml

KEY = [expected.field("K", "text", key=True)]
KEEP = ' xml:space="preserve"'
RUNS = "<r><rPr><b/></rPr><t>New</t></r><r><t> York </t></r>"


def keys(path: Path, sheet: str, strings: str | None = None) -> list[str]:
    _, rows = expected.split(sheetxml.write(path / "w.xlsx", sheet, strings=strings), KEY)
    return [row["K"] for row in rows]


def cell(row: int, inside: str, kind: str = "inlineStr") -> str:
    return f'<c r="A{row}" t="{kind}">{inside}</c>'


def sheet(*cells: str, at: str = "", row: str = "") -> str:
    rows = "".join(f'<row r="{i}"{row}>{one}</row>' for i, one in enumerate(cells, 2))
    return sheetxml.sheet(sheetxml.text_row(1, ["K"]) + rows).replace("<worksheet ", f"<worksheet{at} ")


@pytest.mark.parametrize("prefixed", [False, True], ids=["plain", "exact"])
def test_a_sheet_that_keeps_space_keeps_that_of_its_cells(tmp_path: Path, prefixed: bool) -> None:
    xml = sheet(cell(2, "<is><t> a </t></is>"), cell(3, f"<is>{RUNS}</is>"), at=KEEP)
    xml = xml.replace("</sheetData>", "<!-- read exactly --></sheetData>") if prefixed else xml
    assert keys(tmp_path, xml) == [" a ", "New York "]


def test_a_formulas_text_keeps_its_space_too(tmp_path: Path) -> None:
    xml = sheet(cell(2, '<f>" "&amp;B2</f><v> a&#10;</v>', "str"), cell(3, "<v> b\n</v>", "str"), at=KEEP)
    assert keys(tmp_path, xml) == [" a\n", " b\n"]


def test_without_it_the_ends_are_trimmed(tmp_path: Path) -> None:
    assert keys(tmp_path, sheet(cell(2, "<is><t> a </t></is>"), cell(3, f"<is>{RUNS}</is>"))) == [
        "a",
        "NewYork",
    ]


@pytest.mark.parametrize("outer", ["row", "cell", "is"])
def test_the_nearest_element_that_says_it_decides(tmp_path: Path, outer: str) -> None:
    default = ' xml:space="default"'
    kept, dropped = "<is><t> a </t></is>", f"<is><t{default}> b </t></is>"
    if outer == "is":
        kept, dropped = kept.replace("<is>", f"<is{KEEP}>"), dropped.replace("<is>", f"<is{KEEP}>")
    cells = [cell(2, kept), cell(3, dropped)]
    if outer == "cell":
        cells = [one.replace("<c ", f"<c{KEEP} ") for one in cells]
    assert keys(tmp_path, sheet(*cells, row=KEEP if outer == "row" else "")) == [" a ", "b"]


@pytest.mark.parametrize("where", ["sst", "si", "r"])
def test_shared_strings_inherit_it(tmp_path: Path, where: str) -> None:
    items = ["<t> a </t>", RUNS.replace("</t></r><r>", f"</t></r><r{KEEP}>") if where == "r" else RUNS]
    strings = sheetxml.shared(items).replace(f"<{where} xmlns", f"<{where}{KEEP} xmlns")
    if where == "si":
        strings = strings.replace("<si>", f"<si{KEEP}>")
    xml = sheet(cell(2, "<v>0</v>", "s"), cell(3, "<v>1</v>", "s"))
    assert keys(tmp_path, xml, strings) == ["a" if where == "r" else " a ", "New York "]


def test_a_part_that_keeps_space_may_say_otherwise_of_one_text(tmp_path: Path) -> None:
    strings = sheetxml.shared(["<t> a </t>", '<t xml:space="default"> b </t>']).replace(
        "<sst ", f"<sst{KEEP} "
    )
    assert keys(tmp_path, sheet(cell(2, "<v>0</v>", "s"), cell(3, "<v>1</v>", "s")), strings) == [" a ", "b"]
