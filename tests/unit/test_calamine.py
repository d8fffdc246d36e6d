"""Workbooks in .xls and .ods, read in a process of its own: whatever happens to it, an error with a name is what comes."""

from __future__ import annotations

import struct
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlwt

from factload.errors import WorkbookError
from factload.sheet.block import Kind
from factload.sheet.calamine import cell_values, process_budget
from factload.sheet.calamine.calamine_book import CalamineBook
from factload.sheet.calamine.ods_merged import note_merged
from factload.sheet.calamine.refused import Refused
from factload.sheet.choices import AreaChoice, CellChoices
from factload.sheet.limits import Limits
from factload.sheet.ranges import RangeList
from factload.sheet.source import inspect, open_source
from factload.sheet.workbook_file import opened
from tests import expected, sheetxml
from tests.binary_workbook import Cells, xlsb
from tests.opendocument import NS, number, ods, row, text

FIELDS = [
    expected.field("k", "text", key=True),
    expected.field("m", "numeric(18,4)", required=True),
    expected.field("w", "timestamp"),
    expected.field("b", "boolean"),
]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def xls(path: Path) -> Path:
    workbook = xlwt.Workbook()
    workbook.add_sheet("Notes").visibility = 1
    sheet = workbook.add_sheet("Facts")
    days = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    sheet.write(0, 0, "a title")
    for i, name in enumerate("kmwb"):
        sheet.write(2, i, name)
    for i, value in ((0, "00123"), (1, 123), (3, True)):
        sheet.write(3, i, value)
    sheet.write(3, 2, date(2024, 2, 29), days)
    sheet.write(4, 0, 123.0)
    sheet.write(4, 1, 0.1)
    sheet.write(4, 2, 45351.4375, days)
    sheet.write(5, 0, 12345678901234567.0)
    sheet.write(5, 1, 1)
    sheet.write(6, 0, " x ")
    sheet.row(6).set_cell_error(1, "#DIV/0!")
    sheet.write(9, 0, "last")
    sheet.write(10, 7, "a remark")
    workbook.save(str(path))
    return path


def refusal(path: Path, **options: Any) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        expected.split(path, FIELDS, **options)
    return caught.value


@pytest.mark.parametrize("rows_per_partition", [2, 1000])
def test_an_xls_workbook(rows_per_partition: int, tmp_path: Path) -> None:
    path = xls(tmp_path / "sales.xls")
    assert [(s.name, s.state) for s in inspect(path)] == [("Notes", "hidden"), ("Facts", "visible")]
    done, rows = expected.split(path, FIELDS, sheet="Facts", rows_per_partition=rows_per_partition)
    assert [(r["row"], r["k"], r["reason"], r["cell"], r["raw"]) for r in rows] == [
        (4, "00123", None, None, None),
        (5, "123", None, None, None),
        (6, None, "key_too_long_number", "A6", "1.2345678901234568e+16"),
        (7, " x ", "error_cell", "B7", "#DIV/0!"),
        (10, "last", "blank_value", "B10", None),
    ]
    assert (rows[0]["w"], rows[0]["b"]) == (datetime(2024, 2, 29), True)
    assert (str(rows[1]["m"]), rows[1]["w"]) == ("0.1000", datetime(2024, 2, 29, 10, 30))
    assert (done.source, done.blank, done.rejected) == (6, 1, 3)


def test_an_ods_workbook(tmp_path: Path) -> None:
    gap = '<table:table-row table:number-rows-repeated="1000"><table:table-cell/></table:table-row>'
    head, one, two = row(*map(text, "kmwb")), row(text("007"), number("1.5")), row(number("8"), number("2"))
    done, rows = expected.split(ods(tmp_path / "s.ods", head + one + gap + two), FIELDS)
    assert [(r["row"], r["k"], str(r["m"])) for r in rows] == [(2, "007", "1.5000"), (1003, "8", "2.0000")]
    assert done.source == 2


def test_what_breaks_the_process_is_an_error_here(tmp_path: Path) -> None:
    path = xls(tmp_path / "w.xls")
    assert refusal(path, sheet=1, limits=Limits(cells=20)).code == "workbook_hostile"
    (tmp_path / "cut.xls").write_bytes(path.read_bytes()[:3000])
    assert refusal(tmp_path / "cut.xls").code in ("workbook_damaged", "workbook_hostile")
    (tmp_path / "none.xls").write_bytes(OLE + bytes(5000))
    assert refusal(tmp_path / "none.xls").code in ("workbook_damaged", "workbook_hostile")


def corners(path: Path, row_at: int, column_at: int) -> Path:
    sheet = (workbook := xlwt.Workbook()).add_sheet("Facts")
    for i, name in enumerate("km"):
        sheet.write(0, i, name)
    sheet.write(row_at, column_at, "last")
    workbook.save(str(path))
    return path


@pytest.mark.parametrize(
    ("limits", "setting"),
    [
        (Limits(), "CELLS_PER_BYTE"),
        (Limits(cells=1 << 20), "CELLS_PER_BYTE"),
        (Limits(cells_per_byte=10_000, process_bytes=600 << 20), "PROCESS_BYTES"),
        (Limits(cells_per_byte=10_000, cells=1 << 20), "CELLS"),
    ],
)
def test_a_value_in_two_corners_is_refused_by_a_bound_that_it_names(
    limits: Limits, setting: str, tmp_path: Path
) -> None:
    error = refusal(corners(tmp_path / "w.xls", 65_535, 255), limits=limits)
    assert (error.code, error.remedy.split()[-1]) == ("workbook_hostile", f"FACTLOAD_LIMIT_{setting}")


def test_a_cell_far_below_the_others_is_read(tmp_path: Path) -> None:
    _, (found,) = expected.split(corners(tmp_path / "w.xls", 65_535, 0), FIELDS[:1])
    assert (found["row"], found["k"]) == (65_536, "last")


def test_an_ods_workbook_whose_table_has_no_end_is_refused(tmp_path: Path) -> None:
    cut = row(*map(text, "kmwb")) + "<other></table:table>"  # calamine looks for its end for ever
    error = refusal(ods(tmp_path / "cut.ods", cut))
    assert (error.code, "content.xml is not well-formed" in error.seen) == ("workbook_damaged", True)
    named = '<!DOCTYPE a [<!ENTITY b "c">]>'
    error = refusal(ods(tmp_path / "named.ods", text("k"), before=named))
    assert (error.code, "DOCTYPE" in error.seen) == ("workbook_hostile", True)


def test_an_xls_workbook_with_a_password_is_refused_as_such(tmp_path: Path) -> None:
    (workbook := xlwt.Workbook()).add_sheet("Facts").write(0, 0, "k")
    data = workbook.get_biff_data()
    first = 4 + struct.unpack_from("<H", data, 2)[0]
    protected = data[:first] + struct.pack("<HHHHH", 0x002F, 54, 1, 1, 1) + bytes(48) + data[first:]
    xlwt.CompoundDoc.XlsDoc().save(str(tmp_path / "w.xls"), protected)
    assert refusal(tmp_path / "w.xls").code == "workbook_encrypted"


def test_an_ods_workbook_with_a_password_is_refused_as_such(tmp_path: Path) -> None:
    members = {"META-INF/manifest.xml": "<m><m:encryption-data/></m>", "encrypted-package": "…"}
    for i, (member, written) in enumerate(members.items()):
        path = tmp_path / f"{i}.ods"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr(member, written)
            archive.writestr("content.xml", b"\x8f\x11")
        assert refusal(path).code == "workbook_encrypted"


def test_an_ods_workbook_whose_members_begin_before_the_file_is_refused(tmp_path: Path) -> None:
    path = ods(tmp_path / "w.ods", row(text("k")))
    data = bytearray(path.read_bytes())
    end = data.rfind(b"PK\x05\x06")
    data[end + 16 : end + 20] = (int.from_bytes(data[end + 16 : end + 20], "little") + 500).to_bytes(
        4, "little"
    )
    path.write_bytes(data)
    assert refusal(path).code == "workbook_damaged"


def test_time_follows_from_the_size_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_budget, "_ANY_FILE_SECONDS", 0)
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Facts")
    for row_number in range(
        20_000
    ):  # the kernel looks at a process's time now and then: reading takes longer than that
        sheet.write(row_number, 0, f"a text of its own, {row_number}")
    workbook.save(str(tmp_path / "w.xls"))
    error = refusal(tmp_path / "w.xls", limits=Limits(process_seconds_per_mb=0))
    assert error.remedy.split()[-1] == "FACTLOAD_LIMIT_PROCESS_SECONDS_PER_MB"


def test_empty_rows_of_an_ods_workbook_are_bounded_too(tmp_path: Path) -> None:
    head = row(*map(text, "kmwb"))
    gap = '<table:table-row table:number-rows-repeated="{}"><table:table-cell/></table:table-row>'
    for repeated in (1_000_000, 4_000_000_000):
        path = ods(tmp_path / "s.ods", head + gap.format(repeated) + row(text("a"), number("1")))
        assert refusal(path).remedy.split()[-1] == "FACTLOAD_LIMIT_CELLS_PER_BYTE"


def with_error(row_at: int, column_at: int, below: int) -> tuple[xlwt.Workbook, Any]:
    """A workbook and its sheet, the header where it is said and so many rows below it an error in ``m``."""
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Facts")
    for i, name in enumerate("kmwb"):
        sheet.write(row_at, column_at + i, name)
    sheet.write(row_at + below, column_at, "x")
    sheet.row(row_at + below).set_cell_error(column_at + 1, "#REF!")
    return workbook, sheet


@pytest.mark.parametrize(("row_at", "column_at"), [(0, 0), (3, 0), (0, 2), (5, 4)])
def test_rows_and_columns_have_their_own_numbers(row_at: int, column_at: int, tmp_path: Path) -> None:
    workbook, _ = with_error(row_at, column_at, below=2)
    workbook.save(str(tmp_path / "w.xls"))
    _, (found,) = expected.split(tmp_path / "w.xls", FIELDS)
    assert (found["row"], found["reason"], found["cell"]) == (
        row_at + 3,
        "error_cell",
        f"{chr(66 + column_at)}{row_at + 3}",
    )


def with_chart(path: Path, header_at: tuple[int, int], points: int) -> Path:
    """A workbook with an error below ``m``, and in the sheet a chart of one series.

    [MS-XLS] 2.1.7.20.3: a chart's substream within the sheet's saves the series as records of cells.
    """
    workbook, sheet = with_error(*header_at, below=1)
    begin = struct.pack("<HHHHHHII", 0x0809, 16, 0x0600, 0x0020, 0x0DBB, 0x07CC, 0, 6)
    series = [struct.pack("<HHHHHd", 0x0203, 14, point, 1, 0, 1.0) for point in range(points)]
    end = struct.pack("<HH", 0x000A, 0)
    data = sheet.get_biff_data()
    sheet.get_biff_data = lambda: data[: -len(end)] + begin + b"".join(series) + end + end
    workbook.save(str(path))
    return path


def test_the_values_of_a_chart_in_the_sheet_are_no_cells(tmp_path: Path) -> None:
    _, (found,) = expected.split(with_chart(tmp_path / "w.xls", (3, 2), points=3), FIELDS)
    assert (found["row"], found["reason"], found["cell"]) == (5, "error_cell", "D5")


def test_a_chart_s_values_over_the_rows_hide_no_error(tmp_path: Path) -> None:
    _, (found,) = expected.split(with_chart(tmp_path / "w.xls", (0, 0), points=9), FIELDS)
    assert (found["row"], found["reason"], found["cell"], found["raw"]) == (2, "error_cell", "B2", "#REF!")


@pytest.mark.parametrize("ending", [".xls", ".xlsx", ".ods", ".csv"])
@pytest.mark.parametrize("kind", ["xls", "ods", "xlsx"])
def test_what_a_file_is_its_bytes_say_whatever_its_name(tmp_path: Path, kind: str, ending: str) -> None:
    path = tmp_path / f"sales{ending}"
    if kind == "xls":
        workbook = xlwt.Workbook()
        for i, name in enumerate("kmwb"):
            (sheet := workbook.get_sheet(0) if i else workbook.add_sheet("Facts")).write(0, i, name)
        sheet.write(1, 0, "x")
        sheet.write(1, 1, 2)
        sheet.row(2).set_cell_text(0, "y")
        sheet.row(2).set_cell_error(1, "#REF!")
        workbook.save(str(path))
    elif kind == "ods":
        rows = [row(*map(text, "kmwb")), row(text("x"), number("2")), row(text("y"), text("?"))]
        ods(path, "".join(rows))
    else:
        xml = sheetxml.text_row(1, "kmwb") + sheetxml.text_row(2, ["x", "2"]) + sheetxml.text_row(3, "y?")
        sheetxml.write(path, sheetxml.sheet(xml.replace('t="inlineStr"><is><t>2</t></is>', "><v>2</v>")))
    _, rows_read = expected.split(path, FIELDS)
    assert [(r["k"], r["reason"] is None) for r in rows_read] == [("x", True), ("y", False)]


CHOICES: dict[str, list[tuple[str | None, str | None]]] = {
    "reject": [("North", None), ("hidden", "merged_cell"), ("South", None)],
    "blank": [("North", None), (None, None), ("South", None)],
    "repeat": [("North", None), ("North", None), ("South", None)],
}


@pytest.mark.parametrize(
    ("kind", "choice"),
    [*(("xls", choice) for choice in CHOICES), ("xlsb", "reject"), *(("ods", choice) for choice in CHOICES)],
)
def test_merged_cells_are_what_the_feed_says(tmp_path: Path, kind: str, choice: str) -> None:
    path = tmp_path / f"w.{kind}"
    if kind == "xls":
        sheet = (workbook := xlwt.Workbook()).add_sheet("Facts")
        for at, value in {
            (0, 0): "k",
            (0, 1): "t",
            (1, 0): "a",
            (2, 0): "b",
            (3, 0): "c",
            (3, 1): "South",
        }.items():
            sheet.write(*at, value)
        sheet.write(1, 1, "North")
        sheet.write(2, 1, "hidden")
        sheet.merged_ranges.append((1, 2, 1, 1))
        workbook.save(str(path))
    elif kind == "xlsb":
        lines_of_cells = [("k", "t"), ("a", "North"), ("b", "hidden"), ("c", "South")]
        xlsb(path, lines_of_cells, merged=[(1, 1, 2, 1)])
    else:
        spans = '<table:table-cell office:value-type="string" table:number-rows-spanned="2">'
        first = f"{spans}<text:p>North</text:p></table:table-cell>"
        covered = text("hidden").replace("table-cell", "covered-table-cell")
        lines = [
            row(text("k"), text("t")),
            row(text("a"), first),
            row(text("b"), covered),
            row(text("c"), text("South")),
        ]
        ods(path, "".join(lines))
    fields = [expected.field("k", "text", key=True), expected.field("t", "text")]
    _, rows = expected.split(path, fields, cells=CellChoices(choice))  # type: ignore[arg-type]
    wanted = CHOICES[choice]
    assert [(row["k"], row["reason"]) for row in rows] == [
        (key, reason) for key, (_, reason) in zip("abc", wanted, strict=True)
    ]
    assert [row["t"] for row in rows if row["reason"] is None] == [
        t for t, reason in wanted if reason is None
    ]
    with open_source(path, cells=CellChoices(choice)) as source:  # type: ignore[arg-type]
        every = list(source.all_rows(source.sheets[0], header_row=1, columns=[1, 2]))
    assert [row.cells[1][1] for row in every] == ["k", "a", "b", "c"]
    assert (
        every[2].cells.get(2, (0, None))[1] == {"reject": "North", "blank": None, "repeat": "North"}[choice]
    )


def test_merged_cells_of_an_ods_sheet_are_found_among_repeated_rows_and_columns(tmp_path: Path) -> None:
    gap = '<table:table-row table:number-rows-repeated="7"><table:table-cell/></table:table-row>'
    wide = '<table:table-cell table:number-columns-repeated="3"/>'
    spans = '<table:table-cell table:number-columns-spanned="2" table:number-rows-spanned="3"/>'
    other = "</table:table><table:table table:name='Other'>"
    path = ods(tmp_path / "w.ods", row(spans) + other + gap + row(wide, spans, text("x")) + row(spans))
    found = RangeList(1, Limits())
    with opened(path) as file:
        note_merged(file, 1, found)
    assert found.ranges.tolist() == [[8, 4, 10, 5], [9, 1, 11, 2]]


def test_times_and_dates_of_an_xls_workbook_are_no_numbers(tmp_path: Path) -> None:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Facts")
    sheet.write(0, 0, "t")
    formats = {"h:mm:ss": 0.5138888888888888, "[h]:mm": 1.0625, "yyyy-mm-dd": 45292, "General": 45292}
    for i, (code, days) in enumerate(formats.items(), 1):
        sheet.write(i, 0, days, xlwt.easyxf(num_format_str=code))
    workbook.save(str(tmp_path / "w.xls"))

    def values(kind: str, *, serials: bool = False) -> list[Any]:
        rows = expected.split(tmp_path / "w.xls", [expected.field("t", kind, serials=serials)])[1]
        return [row["reason"] or row["t"] for row in rows]

    assert values("text") == ["12:20:00", "25:30:00", "2024-01-01", "45292"]
    assert values("double precision") == [*["not_a_number"] * 3, 45292.0]
    assert values("double precision", serials=True)[1:] == [1.0625, "not_a_number", 45292.0]
    assert values("date") == ["not_a_date", "not_a_date", date(2024, 1, 1), "not_a_date"]
    # Whether a plain number counts from 1900 or from 1904, calamine doesn't say.
    assert values("date", serials=True) == values("date")


OF_ODS: dict[str, tuple[str, str, object]] = {
    "tab": ('office:value-type="string"', "<text:p>a<text:tab/>b</text:p>", "a\tb"),
    "line break": ('office:value-type="string"', "<text:p>a<text:line-break/>b</text:p>", "a\nb"),
    "paragraphs": ('office:value-type="string"', "<text:p>a</text:p><text:p/><text:p>b</text:p>", "a\n\nb"),
    "spaces": ('office:value-type="string"', '<text:p>a<text:s text:c="3"/>b <text:s/></text:p>', "a   b  "),
    "white space": ('office:value-type="string"', "\n <text:p>\n a  b\n c</text:p>\n ", "a b c"),
    "runs": (
        'office:value-type="string"',
        "<text:p><text:span>No</text:span>r<text:a><text:span>th</text:span></text:a></text:p>",
        "North",
    ),
    "characters": ('office:value-type="string"', "<text:p>a<![CDATA[<b>]]>&amp;&#233;</text:p>", "a<b>&é"),
    "a comment": (
        'office:value-type="string"',
        "<office:annotation><text:p>remark</text:p></office:annotation><text:p>North</text:p>",
        "North",
    ),
    "ruby": (
        'office:value-type="string"',
        "<text:p><text:ruby><text:ruby-base>東京</text:ruby-base><text:ruby-text>とう</text:ruby-text></text:ruby></text:p>",
        "東京",
    ),
    "a text beside its value": (
        'office:value-type="string" office:string-value="a"',
        "<text:p>b</text:p>",
        "a",
    ),
    "no type": ("", "<text:p>North</text:p>", "North"),
    "no type, a value": ('office:value="1.50"', "<text:p>North</text:p>", "1.5"),
    "number": ('office:value-type="float" office:value="1E3"', "<text:p>1.000</text:p>", "1000"),
    "percentage": ('office:value-type="percentage" office:value="0.125"', "<text:p>12,5 %</text:p>", "0.125"),
    "truth": ('office:value-type="boolean" office:boolean-value="true"', "<text:p>WAHR</text:p>", "TRUE"),
    "date": (
        'office:value-type="date" office:date-value="2026-02-03"',
        "<text:p>3.2.</text:p>",
        "2026-02-03",
    ),
    "moment": (
        'office:value-type="date" office:date-value="2026-02-03T04:05:06"',
        "<text:p>x</text:p>",
        "2026-02-03 04:05:06",
    ),
    "time": ('office:value-type="time" office:time-value="PT12H20M00S"', "<text:p>x</text:p>", "12:20:00"),
    "elapsed": ('office:value-type="time" office:time-value="PT25H30M00S"', "<text:p>x</text:p>", "25:30:00"),
    "an error": (
        'table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"',
        "<text:p>#DIV/0!</text:p>",
        "error_cell",
    ),
    "an error without formula": (
        'office:value-type="string" office:string-value="" calcext:value-type="error"',
        "<text:p>#N/A</text:p>",
        "error_cell",
    ),
    "an error as 0": (
        'table:formula="of:=1/0" office:value-type="float" office:value="0"',
        "<text:p>#WERT!</text:p>",
        "error_cell",
    ),
    "an error's number": (
        'table:formula="of:=x" office:value-type="float" office:value="0"',
        "<text:p>Err:509</text:p>",
        "error_cell",
    ),
    "no value": ('table:formula="of:=[.A1]*2"', "", "formula_without_value"),
    "no value of its type": (
        'table:formula="of:=1" office:value-type="float"',
        "",
        "formula_without_value",
    ),
    "an empty text": (
        'table:formula="of:=T(0)" office:value-type="string" office:string-value=""',
        "<text:p/>",
        None,
    ),
    "another type": (
        'office:value-type="fraction" office:value="1"',
        "<text:p>1/2</text:p>",
        "ambiguous_cell",
    ),
}


def test_a_cell_of_an_ods_sheet_is_what_a_person_sees_in_it(tmp_path: Path) -> None:
    cells = "".join(
        f"  {row(text(str(i)), f'<!-- {name} -->', f'<table:table-cell {told}>{within}</table:table-cell>')}\n"
        for i, (name, (told, within, _)) in enumerate(OF_ODS.items())
    )
    head = f"<table:table-header-rows>{row(text('k'), text('t'))}</table:table-header-rows>\n"
    path = ods(tmp_path / "w.ods", head + cells)
    fields = [expected.field("k", "text", key=True), expected.field("t", "text")]
    _, rows = expected.split(path, fields)
    found = {name: rows[i]["reason"] or rows[i]["t"] for i, name in enumerate(OF_ODS)}
    assert found == {name: wanted for name, (_, _, wanted) in OF_ODS.items()}


def test_an_ods_workbook_has_the_names_of_its_sheets_and_those_that_are_hidden(tmp_path: Path) -> None:
    hidden = (
        "<office:automatic-styles><style:style style:name='a' style:family='table'>"
        "<style:table-properties table:display='false'/></style:style></office:automatic-styles>"
    )
    path = ods(tmp_path / "w.ods", row(text("k"), text("m")) + row(text("a"), number("1")))
    with zipfile.ZipFile(path) as archive:
        content = archive.read("content.xml").decode()
    content = content.replace("<office:body>", hidden + "<office:body>").replace("table:", "t:")
    content = content.replace("xmlns:table", "xmlns:t").replace(
        "urn:oasis:names:tc:opendocument:xmlns:t:", f"{NS}table:"
    )
    other = "<t:table t:name='Notes' t:style-name='a'/><t:table t:name='Facts'>"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content.replace('<t:table t:name="Facts">', other))
    assert [(sheet.name, sheet.state) for sheet in inspect(path)] == [
        ("Notes", "hidden"),
        ("Facts", "visible"),
    ]
    _, rows = expected.split(path, FIELDS[:2], sheet="*")
    assert [(r["k"], str(r["m"])) for r in rows] == [("a", "1.0000")]


@pytest.mark.parametrize("flags", [0, 2])
def test_formulas_of_an_xls_workbook_that_nobody_calculated_are_rejects(tmp_path: Path, flags: int) -> None:
    sheet = (workbook := xlwt.Workbook()).add_sheet("Facts")
    for i, name in enumerate("kt"):
        sheet.write(0, i, name)
    for number_of_row in (1, 2):
        sheet.write(number_of_row, 0, f"{number_of_row}")
    cell = xlwt.Cell.FormulaCell(1, 1, 15, xlwt.Formula("A1&A2"), flags)  # `set_cell_formula` forgets them
    sheet.row(1).insert_cell(1, cell)
    workbook.save(str(tmp_path / "w.xls"))
    fields = [expected.field("k", "text", key=True), expected.field("t", "text")]
    _, rows = expected.split(tmp_path / "w.xls", fields)
    reason = "stale_formula" if flags else "formula_without_value"
    assert [(r["k"], r["reason"], r["cell"]) for r in rows] == [("1", reason, "B2"), ("2", None, None)]
    _, rows = expected.split(tmp_path / "w.xls", fields, cells=CellChoices(stale_formulas="take"))
    assert [(r["k"], r["t"], r["reason"]) for r in rows] == [("1", None, None), ("2", None, None)]


def test_a_table_of_an_xlsb_workbook_is_read_by_its_name_without_its_totals_row(tmp_path: Path) -> None:
    rows: list[Cells] = [
        ("title",),
        (None, "k", "m"),
        (None, "a", 1),
        (None, "b", 2),
        (None, "sum", 3),
        ("x", "y"),
    ]
    path = xlsb(tmp_path / "w.xlsb", rows, table=("Orders", (1, 1, 4, 2), 1))
    _, found = expected.split(path, FIELDS[:2], cells=CellChoices(area=AreaChoice(table="orders")))
    assert [(r["row"], r["k"], str(r["m"])) for r in found] == [(3, "a", "1.0000"), (4, "b", "2.0000")]
    error = refusal(path, cells=CellChoices(area=AreaChoice(table="Order")))
    assert (error.code, "'Orders' (Facts B2:C5)" in error.seen) == ("excel_table_missing", True)


@pytest.mark.parametrize("on_opening", [False, True])
def test_an_xlsb_workbook_that_is_calculated_when_it_is_opened_has_stale_formulas(
    tmp_path: Path, on_opening: bool
) -> None:
    rows: list[Cells] = [("k", "m"), ("a", (1.5,)), ("b", 2)]
    path = xlsb(tmp_path / "w.xlsb", rows, calculated_on_opening=on_opening)
    _, found = expected.split(path, FIELDS[:2])
    assert [(r["k"], r["reason"]) for r in found] == [
        ("a", "stale_formula" if on_opening else None),
        ("b", None),
    ]
    _, found = expected.split(path, FIELDS[:2], cells=CellChoices(stale_formulas="take"))
    assert [(r["k"], str(r["m"])) for r in found] == [("a", "1.5000"), ("b", "2.0000")]


def test_the_process_that_reads_tells_kinds_by_the_numbers_that_they_have() -> None:
    told = {name: value for name, value in vars(cell_values).items() if name in Kind.__members__}
    assert len(told) == 11
    assert told == {name: Kind[name] for name in told}


def test_a_sheet_of_too_many_cells_is_refused_before_its_errors_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = CalamineBook(str(xlsb(tmp_path / "w.xlsb", [["k", "m"], ["a", 1.0]])), stale=True)
    assert [number for number, _ in book.rows(0, 4, 4)] == [1, 2]
    monkeypatch.setattr(CalamineBook, "_marks", lambda *_: pytest.fail("they were looked for"))
    for most, limit in (((3, 4), "cells"), ((4, 3), "cells_per_byte")):
        with pytest.raises(Refused, match=f"^{limit}$"):
            next(book.rows(0, *most))
