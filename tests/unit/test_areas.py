"""Excel tables and ranges: which cells they are, that nothing beside or below is read, and what is said of bad ones."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table, TableColumn

from factload.errors import WorkbookError
from factload.sheet.choices import AreaChoice, CellChoices
from factload.sheet.pieces import NotPlain
from factload.sheet.source import SheetRows, Source, open_source, read_rows
from factload.sheet.xlsx import source as xlsx_source
from factload.sheet.xlsx.row_numbers import row_numbers
from factload.sheet.xlsx.xml_bytes import row_ends
from tests import expected, opendocument, sheetxml
from tests.workbooks import first_sheet

FIELDS = [expected.field("k", "text", key=True), expected.field("m", "integer")]
DEEP = 130  # below the rows in which a sheet's own header is looked for
Found = list[tuple[int, str | None, int | None]]


def book(path: Path, *, tables: Mapping[str, str] | None = None, merged: Sequence[str] = ()) -> Path:
    """Sheet Facts: Orders in B4:C8 with a totals row, Returns beside it in E4:F12, notes around; Deep below 130 rows."""
    workbook = openpyxl.Workbook()
    sheet = first_sheet(workbook)
    sheet.title = "Facts"
    sheet["A1"], sheet["B2"], sheet["B12"], sheet["A6"] = "Sales", "k", "a note", "beside"
    for left, keys in (("BC", "abc"), ("EF", "stuvwxyz")):
        sheet[f"{left[0]}4"], sheet[f"{left[1]}4"] = "k", "m"
        for number, key in enumerate(keys):
            sheet[f"{left[0]}{number + 5}"], sheet[f"{left[1]}{number + 5}"] = key, number
    sheet["B8"], sheet["C8"] = "Total", 3
    sheet[f"B{DEEP}"], sheet[f"C{DEEP}"] = "k", "m"
    sheet[f"B{DEEP + 1}"], sheet[f"C{DEEP + 1}"] = "deep", 1
    sheet[f"B{DEEP + 2}"], sheet[f"C{DEEP + 2}"] = "deeper", 2
    sheet[f"B{DEEP + 3}"] = "not of the table"
    for reference in merged:
        sheet.merge_cells(reference)
    for name, cells in (tables or {"Orders": "B4:C8", "Deep": f"B{DEEP}:C{DEEP + 2}"}).items():
        table = Table(displayName=name, ref=cells, totalsRowCount=1 if name == "Orders" else None)
        table.tableColumns = [TableColumn(id=1, name="k"), TableColumn(id=2, name="m")]
        sheet.tables[name] = table  # add_table forbids what a damaged workbook may hold
    workbook.create_sheet("It's, a sheet")
    for name, formula in {
        "SalesData": "Facts!$E$4:$F$6",
        "Two": "Facts!$B$4:$C$5,Facts!$E$4:$F$5",
        "Formula": "OFFSET(Facts!$A$1,0,0,3,3)",
        "Gone": "#REF!",
        "Elsewhere": "[1]Facts!$E$4:$F$6",
        "Whole": "Facts!$E:$F",
    }.items():
        workbook.defined_names[name] = DefinedName(name, attr_text=formula)
    sheet.defined_names["Local"] = DefinedName("Local", attr_text="Facts!$E$4:$F$5")
    workbook["It's, a sheet"].defined_names["Local"] = DefinedName("Local", attr_text="Facts!$B$4:$C$8")
    workbook["It's, a sheet"].sheet_state = "hidden"
    workbook.save(path)
    return path


def ods_book(path: Path) -> Path:
    """Sheet Facts: a title, and in A2:B4 a header and two rows."""
    row, text, number = opendocument.row, opendocument.text, opendocument.number
    header, data = row(text("k"), text("m")), row(text("a"), number("1")) + row(text("b"), number("2"))
    return opendocument.ods(path, row(text("title")) + header + data)


@contextmanager
def opened(path: Path, choice: AreaChoice, fields: Any = FIELDS) -> Iterator[tuple[Source, SheetRows]]:
    # The formulas of what openpyxl saves are to be calculated anew; there are none here.
    with open_source(path, cells=CellChoices(stale_formulas="take", area=choice)) as source:
        [part] = source.sheets
        yield source, source.rows(part, fields, 2)


def rows_of(rows: SheetRows, *, exactly: bool = False) -> tuple[Found, int]:
    def take(pieces: Any) -> tuple[Found, int]:
        found: Found = []
        source = 0
        with closing(pieces):
            for piece in pieces:
                columns = piece.rows.batch.to_pydict()
                found += zip(
                    *(columns[name] for name in ("row", *(f.name for f in rows.placing.fields))), strict=True
                )
                source += piece.source
        return found, source

    if not exactly:
        return read_rows(rows, 3, take)
    return take(rows.leaves.settled(rows.exactly(3)) if rows.leaves else rows.exactly(3))


def read(path: Path, **choice: str) -> tuple[Found, int]:
    with opened(path, AreaChoice(**choice)) as (source, rows):
        fast = rows_of(rows)
        assert rows_of(rows, exactly=True) == fast
        [part] = source.sheets
        header = rows.header.row
        alone = source.all_rows(part, header_row=header, columns=set(rows.placing.placed))
        numbers = [row.number for row in alone if row.number > header]
        assert [number for number, *_ in fast[0]] == numbers
        wanted = range(1, 10_000)
        some = source.some_rows(part, wanted, header_row=header, columns=set(rows.placing.placed))
        assert [row.number for row in some if row.number > header] == numbers
    return fast


def refused(path: Path, fields: Any = FIELDS, **choice: str) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught, opened(path, AreaChoice(**choice), fields) as (_, rows):
        rows_of(rows)
    assert "\n" not in str(caught.value)
    return caught.value


ORDERS: Found = [(5, "a", 0), (6, "b", 1), (7, "c", 2)]


@pytest.mark.parametrize("name", ["Orders", " orders "])
def test_a_table_is_read_by_its_name_without_its_totals_row(tmp_path: Path, name: str) -> None:
    assert read(book(tmp_path / "a.xlsx"), table=name) == (ORDERS, 4)


def test_rows_above_and_beside_a_table_do_not_matter(tmp_path: Path) -> None:
    tables = {"Orders": "B4:C8", "Returns": "E4:F12", "Deep": f"B{DEEP}:C{DEEP + 2}"}
    found, _ = read(book(tmp_path / "a.xlsx", tables=tables), table="Returns")
    assert found == [
        (number, key, i) for i, (number, key) in enumerate(zip(range(5, 13), "stuvwxyz", strict=True))
    ]
    assert read(tmp_path / "a.xlsx", table="Deep") == ([(DEEP + 1, "deep", 1), (DEEP + 2, "deeper", 2)], 2)


@pytest.mark.parametrize(
    "written", ["SalesData", "salesdata", "Facts!E4:F6", "'facts'!$F$6:$E$4", " Facts!$E$4:F6 "]
)
def test_a_range_is_read_by_its_name_or_by_its_cells(tmp_path: Path, written: str) -> None:
    assert read(book(tmp_path / "a.xlsx"), range=written) == ([(5, "s", 0), (6, "t", 1)], 2)


def test_a_name_of_one_sheet_is_read_with_the_name_of_that_sheet(tmp_path: Path) -> None:
    assert read(book(tmp_path / "a.xlsx"), range="Facts!Local") == ([(5, "s", 0)], 1)
    assert read(tmp_path / "a.xlsx", range="'It''s, a sheet'!Local") == (ORDERS, 4)  # the cells of Orders


@pytest.mark.parametrize("cells", ["B4:C8", "B4:D8", "B4:C7"])
def test_a_range_with_the_rows_of_a_table_leaves_out_its_totals_row(tmp_path: Path, cells: str) -> None:
    assert read(book(tmp_path / "a.xlsx"), range=f"Facts!{cells}") == (ORDERS, 4 if "8" in cells else 3)


@pytest.mark.parametrize(
    ("choice", "code", "words"),
    [
        ({"table": "Order"}, "excel_table_missing", r"'Orders' \(Facts B4:C8\).*Did you mean Orders\?"),
        ({"range": "SaleData"}, "range_missing", "it names SalesData, .*Did you mean SalesData"),
        ({"range": "B4:C8"}, "range_missing", "Sheet1!B4:H9000"),
        ({"range": "Local"}, "range_missing", "names 'Local' more than once"),
        ({"range": "Nowhere!B4:C8"}, "sheet_missing", "it has 'Facts'"),
        ({"range": "Two"}, "range_unfit", "is not one rectangle"),
        ({"range": "Formula"}, "range_unfit", "is not one rectangle"),
        ({"range": "Gone"}, "range_unfit", "is not one rectangle"),
        ({"range": "Elsewhere"}, "range_unfit", "is not one rectangle"),
        ({"range": "Facts!B4:C4"}, "range_unfit", "single row"),
        ({"range": "Facts!B4:XFE9"}, "range_unfit", "beyond"),
        ({"range": "Facts!B4:C1048577"}, "range_unfit", "beyond"),
        ({"range": "Facts!B0:C9"}, "range_unfit", "beyond"),
        ({"range": "Facts!B4:C6"}, "area_overlaps", "holds a part of the table 'Orders', B4:C8"),
        ({"range": "Facts!D3:F12"}, "header_missing", "in the first row of the range 'Facts!D3:F12', D3:F12; they are empty"),
        ({"range": "Whole"}, "header_missing", "in the first row of the range 'Whole', E1:F1048576"),
        ({"range": "Facts!B2:F12"}, "header_missing", "no column 'm' in the first row .*; row 2 holds 'k'"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_refused_in_one_line(
    tmp_path: Path, choice: dict[str, str], code: str, words: str
) -> None:
    error = refused(book(tmp_path / "a.xlsx"), **choice)
    assert error.code == code
    assert re.search(words, str(error)), str(error)


@pytest.mark.parametrize(("cells", "warned"), [("E4:F11", True), ("E4:F12", False), ("B4:C8", False)])
def test_a_range_below_which_its_columns_go_on_is_warned_of(tmp_path: Path, cells: str, warned: bool) -> None:
    with opened(book(tmp_path / "a.xlsx"), AreaChoice(range=f"Facts!{cells}")) as (_, rows):
        for exactly in (False, True):
            rows_of(rows, exactly=exactly)
            assert bool(rows.warnings) == warned
            assert all(
                "the row below it has something in its columns" in warning for warning in rows.warnings
            )


def test_tables_that_overlap_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", tables={"Orders": "B4:C8", "Returns": "B8:C12"})
    assert refused(path, table="Orders").code == "area_overlaps"


def test_a_table_without_header_row_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", tables={"Returns": "E4:F12"})
    workbook = openpyxl.load_workbook(path)
    workbook["Facts"].tables["Returns"].headerRowCount = 0
    workbook.save(path)
    error = refused(path, table="Returns")
    assert (error.code, "Turn on Header Row" in str(error)) == ("table_without_header", True)


@pytest.mark.parametrize("reference", ["C6:D6", "B8:B9", "A5:B5", "C4:D4"])
def test_merged_cells_that_the_border_cuts_are_refused(tmp_path: Path, reference: str) -> None:
    error = refused(book(tmp_path / "a.xlsx", merged=[reference]), table="Orders")
    assert error.code == "area_cut"
    assert reference in str(error)


def test_merged_cells_beside_an_area_change_nothing(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", merged=["E5:F6", "A1:C1", "B12:C13"])
    assert read(path, table="Orders") == (ORDERS, 4)


def test_an_area_is_looked_for_on_hidden_sheets_too(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx")
    workbook = openpyxl.load_workbook(path)
    workbook["It's, a sheet"].sheet_state = "visible"
    workbook.active = workbook["It's, a sheet"]
    workbook["Facts"].sheet_state = "hidden"
    workbook.save(path)
    assert read(path, table="Orders") == (ORDERS, 4)


def test_csv_files_and_other_workbooks_say_what_they_lack(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k,m\na,1\n")
    assert refused(tmp_path / "a.csv", range="SalesData").code == "excel_table_missing"
    ods = ods_book(tmp_path / "a.ods")
    assert "Save it as .xlsx" in str(refused(ods, table="Orders"))
    assert read(ods, range="Facts!A2:B3") == ([(3, "a", 1)], 1)


@pytest.mark.parametrize(
    "address",
    ["$Facts.$A$2:.$B$3", "$Facts.$A$2:$Facts.$B$3", "Facts.A2:Facts.B3", "$'Facts'.$A$2:.$B$3"],
)
def test_a_name_of_an_ods_workbook_is_read(tmp_path: Path, address: str) -> None:
    path = ods_book(tmp_path / "a.ods")
    with zipfile.ZipFile(path) as archive:
        content = archive.read("content.xml").decode()
    named = (
        f'<table:named-expressions><table:named-range table:name="SalesData" table:cell-range-address="{address}"/>'
        "</table:named-expressions></office:spreadsheet>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{opendocument.NS}manifest:1.0"/>')
        archive.writestr("content.xml", content.replace("</office:spreadsheet>", named))
    assert read(path, range="SalesData") == ([(3, "a", 1)], 1)


def test_a_name_of_an_xls_workbook_is_read(tmp_path: Path) -> None:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Facts")
    for number, cells in enumerate([("title",), ("k", "m"), ("a", 1), ("b", 2)]):
        for column, value in enumerate(cells):
            sheet.write(number, column, value)
    workbook.save(str(tmp_path / "a.xls"))
    assert read(tmp_path / "a.xls", range="Facts!A2:B3") == ([(3, "a", 1)], 1)
    assert refused(tmp_path / "a.xls", range="SalesData").code == "range_missing"


ROW = st.tuples(
    st.integers(1, 4),  # how far below the row before
    st.sampled_from(["plain", "empty", "beside", "closed", "odd"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(ROW, max_size=30), last=st.integers(3, 60), size=st.sampled_from([200, 700, 4 << 20]))
def test_rows_through_the_last_and_no_others(
    tmp_path: Path, written: list[tuple[int, str]], last: int, size: int
) -> None:
    parts, wanted, number, valued = [sheetxml.text_row(2, ["k", "m"])], [], 2, 0
    for gap, kind in written:
        number += gap
        cells = f'<c r="A{number}" t="inlineStr"><is><t>a</t></is></c><c r="B{number}"><v>{number}</v></c>'
        parts.append(
            {
                "plain": f'<row r="{number}">{cells}</row>',
                "odd": f'<row r="{number}" >{cells}</row>',
                "empty": f'<row r="{number}"><c r="A{number}"/></row>',
                "closed": f'<row r="{number}"/>',
                "beside": f'<row r="{number}"><c r="D{number}"><v>1</v></c></row>',
            }[kind]
        )
        if number <= last and kind in ("plain", "odd"):
            wanted.append((number, "a", number))
        valued += number <= last and kind in ("plain", "odd", "beside")
    path = sheetxml.write(tmp_path / "a.xlsx", sheetxml.sheet("".join(parts)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_source, "WINDOW_BYTES", size)
        with opened(path, AreaChoice(range=f"Facts!A2:B{last}")) as (_, rows):
            assert rows_of(rows) == rows_of(rows, exactly=True) == (wanted, valued)


@pytest.mark.parametrize(
    "below",
    [
        '<row r="9"/><row r="5"><c r="A5"><v>1</v></c></row>',
        '<!-- <row r="9"> --><row r="9"><c r="A9"><v>1</v></c></row>',
        "<row><c><v>1</v></c></row>",
    ],
)
def test_rows_behind_the_last_whose_numbers_are_in_doubt_are_read_exactly(tmp_path: Path, below: str) -> None:
    rows = sheetxml.text_row(1, ["k", "m"]) + sheetxml.text_row(7, ["a"]) + sheetxml.text_row(8, ["b"])
    path = sheetxml.write(tmp_path / "a.xlsx", sheetxml.sheet(rows + below))
    try:
        with opened(path, AreaChoice(range="Facts!A1:B7")) as (_, found):
            assert rows_of(found) == ([(7, "a", None)], 1)
        assert 'r="5"' not in below
    except WorkbookError as error:
        assert error.code == "duplicate_row"
        assert 'r="5"' in below


@pytest.mark.parametrize(
    ("rows", "numbers"),
    [
        ('<row r="1"><c/></row><row r="1048576" spans="1:2"><c/></row>', [1, 1048576]),
        ('<row r="5"/><row r="6"><c/></row>', [6]),
        ("<row r=\"2\"/><row r='4'><c/></row>", None),
        ('\n <row spans="1:2" r="7"><c/></row><row r="9"><c/></row>', [7, 9]),
        ('<row r="2"><c/></row><row r="2"><c/></row>', None),
        *((f'<row r="{bad}"><c/></row>', None) for bad in ("", "a", "1a", " 1", "1:", "/1", "12345678")),
        ("<row><c/></row>", None),
        ('<row r="1"><c><!-- <row r="2"> --></c></row>', None),
    ],
)
def test_numbers_of_rows_are_told_only_where_the_bytes_leave_no_doubt(
    rows: str, numbers: list[int] | None
) -> None:
    xml = rows.encode()
    if numbers is not None:
        assert row_numbers(xml, row_ends(xml)).tolist() == numbers
        return
    with pytest.raises(NotPlain):
        row_numbers(xml, row_ends(xml))
