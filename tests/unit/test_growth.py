"""What an unknown file can make longer takes time in proportion to its length: four times as long, four times the time.

Times are of the processor, with generous room: work that grows with the square takes sixteen times as much.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from factload.errors import WorkbookError
from factload.sheet.block import Kind
from factload.sheet.header import find_header
from factload.sheet.references import corners
from factload.sheet.rows import Row
from factload.sheet.sheets import SheetPart, choose
from factload.sheet.xlsx.counting import RowCounter, count_valued
from factload.sheet.xlsx.number_formats import date_styles, shown_as
from factload.sheet.xlsx.slow_path import SheetParser
from factload.sheet.xlsx.strings_table import NO_STRINGS
from factload.sheet.xlsx.xml_bytes import row_ends
from tests import expected, sheetxml

HEAD = f'<worksheet xmlns="{sheetxml.TRANSITIONAL}"><sheetData>'.encode()
SIZE = 20_000


def seconds(work: Callable[[int], object], size: int) -> float:
    begun = time.process_time()
    work(size)
    return time.process_time() - begun


def parsed(data: bytes) -> None:
    SheetParser("the sheet", NO_STRINGS, {}).feed(HEAD + data)


def counted(data: bytes) -> None:
    RowCounter("the sheet").feed(HEAD + data)


def formulas_counted(row: bytes) -> int:
    return count_valued(row, row_ends(row))


def every_sheet(size: int) -> object:
    return choose([SheetPart(f"S{i}", "visible", "part", "worksheet") for i in range(size // 9)], "*")


def header(size: int) -> None:
    cells = {i: (Kind.TEXT, f"column {i}") for i in range(1, size // 8)}
    with pytest.raises(WorkbookError):
        find_header([Row(1, True, cells)], [f"another column {i}" for i in range(40)], "Facts")


WORK: Mapping[str, Callable[[int], object]] = {
    "brackets in a number format": lambda n: shown_as("[" * n),
    "elapsed hours in a number format": lambda n: shown_as("[h" * n),
    "quotes in a number format": lambda n: shown_as('"a' * n),
    "letters of a merged range": lambda n: corners("A" * n),
    "digits of a merged range": lambda n: corners("A" + "1" * n),
    "colons of a merged range": lambda n: corners("A1:" * n),
    "columns of a merged range": lambda n: corners("A" * n + "1:C1"),
    "spaces after a formula": lambda n: formulas_counted(
        b'<row r="2"><c r="A2"><f>1</f>' + b" " * n + b"<x/></c></row>"
    ),
    "spaces before a formula": lambda n: formulas_counted(
        b'<row r="2"><c r="A2">' + b" " * n + b"<x/></c></row>"
    ),
    "pieces of a value": lambda n: parsed(b'<row r="2"><c r="A2" t="str"><v>' + b"a<x/>" * n),
    "pieces of a formula": lambda n: parsed(b'<row r="2"><c r="A2"><f>' + b"a<x/>" * n),
    "pieces of an inline text": lambda n: parsed(b'<row r="2"><c r="A2"><is><t>' + b"a<x/>" * n),
    "values deep in a cell": lambda n: counted(b'<row r="2"><c>' + b"<a>" * n + b"<v>1</v>" * n),
    "rows deep in other elements": lambda n: counted(b"<a>" * n + b"<row></row>" * n),
    "sheets": every_sheet,
    "columns of a header": header,
}


@pytest.mark.parametrize("name", WORK)
def test_work_grows_with_the_length(name: str) -> None:
    work = WORK[name]
    once = min(seconds(work, SIZE) for _ in range(2))
    # The least of some: what another process takes of the machine is not the work's.
    assert min(seconds(work, 4 * SIZE) for _ in range(3)) < 10 * once + 0.2


def test_a_number_format_says_what_it_said() -> None:
    dates = ["yyyy-mm-dd", "[h]:mm", "[mm]:ss", "[Red]d.m.yy", "[$-409]d\\-mmm;@", "[ss]"]
    assert [code for code in dates if shown_as(code) == Kind.NUMBER] == []
    others = ["General", '0" days"', "[Red]0.00", "[$€-407] 0.00", "0_d", "0*y", "\\d0", '0"h', "[dd"]
    assert [code for code in others if shown_as(code) != Kind.NUMBER] == []


def test_the_id_of_a_number_format_may_have_any_length() -> None:
    def styles(declared: str, used: str) -> bytes:
        formats = f'<numFmts><numFmt numFmtId="{declared}" formatCode="yyyy"/></numFmts>'
        cells = f'<cellXfs><xf numFmtId="0"/><xf numFmtId="{used}"/></cellXfs>'
        return f'<styleSheet xmlns="{sheetxml.TRANSITIONAL}">{formats}{cells}</styleSheet>'.encode()

    assert set(date_styles(styles("164", "0164"))) == {1}
    assert set(date_styles(styles("9" * 5000, "9" * 5000))) == {1}
    assert date_styles(styles("165", "164")) == {}
    assert set(date_styles(styles("165", "014"))) == {1}


FIELDS = [expected.field("k", "text", key=True), expected.field("m", "numeric(18,4)")]


def test_row_numbers_of_any_length_end_in_an_error_or_a_number(tmp_path: Path) -> None:
    header = sheetxml.text_row(1, ["k", "m"])
    rows = '<row r="2"><c r="A2" t="inlineStr"><is><t>x</t></is></c></row>'
    for hidden in (f'<!-- <row r="{"1" * 5000}"> -->{header}', f'{header}<!-- <row r="{"1" * 5000}"> -->'):
        done, _ = expected.split(sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(hidden + rows)), FIELDS)
        assert done.source == 1
    with pytest.raises(WorkbookError) as caught:
        long = f'<row r="{"1" * 5000}"/>'
        expected.split(sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(header + long + rows)), FIELDS)
    assert caught.value.code == "workbook_damaged"
