"""What other programs read is read too where it is certain: names of encodings, parts that are named and absent."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from factload.errors import WorkbookError
from factload.sheet.sheets import EVERY
from tests import expected, sheetxml

KEY = [expected.field("Größe", "text", key=True)]
XML = sheetxml.sheet(sheetxml.text_row(1, ["Größe"]) + '<row r="2"><c r="A2" t="s"><v>0</v></c></row>')
STRINGS = sheetxml.shared(["<t>ä</t>"])


@pytest.mark.parametrize("name", ["utf8", "UTF8", "utf-8", "Utf_8", "U8", "cp65001"])
def test_utf8_has_many_names(tmp_path: Path, name: str) -> None:
    xml, strings = (part.replace('encoding="UTF-8"', f"encoding='{name}'") for part in (XML, STRINGS))
    for sheet in (xml, xml.replace("<sheetData>", "<!-- exact --><sheetData>")):
        path = sheetxml.write(tmp_path / "w.xlsx", sheet, strings=strings)
        assert expected.split(path, KEY)[1][0]["Größe"] == "ä"


@pytest.mark.parametrize("name", ["latin1", "ISO-8859-1", "cp1252", "windows-1252"])
def test_an_encoding_that_is_declared_is_that_of_the_part(tmp_path: Path, name: str) -> None:
    xml, strings = (
        part.replace(' encoding="UTF-8"', f'{" " * 300}encoding="{name}"').encode("cp1252")
        for part in (XML, STRINGS)
    )
    path = sheetxml.write(tmp_path / "w.xlsx", xml, strings=strings)
    assert expected.split(path, KEY)[1][0]["Größe"] == "ä"


@pytest.mark.parametrize("name", ["utf-7", "shift_jis", "nonsense", ""])
def test_other_encodings_are_refused(tmp_path: Path, name: str) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", XML.replace('"UTF-8"', f'"{name}"'), strings=STRINGS)
    with pytest.raises(WorkbookError) as caught:
        expected.split(path, KEY)
    assert caught.value.code == "workbook_damaged"


def without(path: Path, part: str) -> Path:
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(path.with_name("less.xlsx"), "w") as less:
        for name in whole.namelist():
            if name != part:
                less.writestr(name, whole.read(name))
    return path.with_name("less.xlsx")


def test_styles_that_are_named_and_absent_are_none(tmp_path: Path) -> None:
    path = without(sheetxml.write(tmp_path / "w.xlsx", XML, strings=STRINGS), "xl/styles.xml")
    assert expected.split(path, KEY)[1][0]["Größe"] == "ä"


@pytest.mark.parametrize("choice", [0, "Facts", EVERY])
def test_a_sheet_of_which_nobody_knows_the_part_is_said_to_be_one(tmp_path: Path, choice: int | str) -> None:
    path = without(sheetxml.write(tmp_path / "w.xlsx", XML, strings=STRINGS), "xl/_rels/workbook.xml.rels")
    with pytest.raises(WorkbookError) as caught:
        expected.split(path, KEY, sheet=choice)
    assert (caught.value.code, "which of its parts holds sheet 'Facts'" in caught.value.seen) == (
        "workbook_damaged",
        True,
    )
