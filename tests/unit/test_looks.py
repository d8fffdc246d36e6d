"""A file that is no workbook is called what its bytes are, whatever it is named, with what to do next."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from factload.errors import WorkbookError
from factload.sheet.looks import look_of
from factload.sheet.source import open_source

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WHAT = {
    "an HTML page": [
        b"<html><table>",
        b"\r\n  <!DOCTYPE HTML PUBLIC>",
        b"\xef\xbb\xbf<table border=1>",
        b'<meta http-equiv="Content-Type" content="text/html">',
        b"<!-- exported --><HTML>",
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">',
        "<html><body>".encode("utf-16"),
    ],
    "an XML Spreadsheet of Excel 2003": [
        b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
        b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
    ],
    "a flat OpenDocument file": [
        b'<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">'
    ],
    "an XML document": [b'<?xml version="1.0"?><rows/>', b"<rows><row/></rows>"],
    "a web archive": [b"MIME-Version: 1.0\r\nContent-Type: multipart/related"],
    "a JSON document": [b'{"rows": []}', b"[1, 2]", b' [{"a": 1}]'],
    "a text file": [b"K,N\r\na,1\r\n", b"K;N\n", "Größe\tN\n".encode(), "K,N\n".encode("utf-16")],
    "compressed by gzip": [gzip.compress(b"K,N\n")],
    "a PDF document": [b"%PDF-1.7\n"],
    "a picture": [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"],
    "a workbook of Excel 4": [b"\x09\x04\x06\x00\x00\x00\x10\x00"],
    "a Parquet file": [b"PAR1\x15\x04"],
    "an empty zip archive": [b"PK\x05\x06" + bytes(18)],
}


def refusal(path: Path) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught, open_source(path) as source:
        print(source.sheets)
    return caught.value


@pytest.mark.parametrize("ending", [".xlsx", ".xls"])
@pytest.mark.parametrize(
    ("what", "data"), [(what, data) for what, several in WHAT.items() for data in several]
)
def test_what_is_no_workbook_is_called_what_it_is(
    tmp_path: Path, ending: str, what: str, data: bytes
) -> None:
    (tmp_path / f"x{ending}").write_bytes(data)
    error = refusal(tmp_path / f"x{ending}")
    assert (error.code, what in error.seen, bool(error.remedy)) == ("workbook_not_a_workbook", True, True)


def test_a_text_is_told_how_a_csv_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"K,N\n")
    assert "workbook.csv" in refusal(tmp_path / "x.xlsx").remedy


def test_what_is_not_known_is_not_guessed() -> None:
    assert look_of(bytes(range(256))) is None
    assert look_of(b" \n") is None


@pytest.mark.parametrize(
    "what", ["an HTML page", "a PDF document", "a picture", "an XML Spreadsheet of Excel 2003"]
)
def test_no_csv_file_begins_so(tmp_path: Path, what: str) -> None:
    (tmp_path / "x.csv").write_bytes(WHAT[what][0])
    error = refusal(tmp_path / "x.csv")
    assert (what in error.seen, error.expected) == (True, "a csv file")


@pytest.mark.parametrize("data", [b"[a],b\n1,2\n", b'{"a";b\n', b"K,N\n", b"<5,b\n"])
def test_a_csv_file_may_begin_so(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    with open_source(tmp_path / "x.csv") as source:
        assert [sheet.name for sheet in source.sheets] == ["x"]


@pytest.mark.parametrize(
    ("name", "expected"), [("x.csv", "a csv file with a header"), ("x.xlsx", "an .xlsx workbook")]
)
def test_an_empty_file_says_what_was_expected(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).write_bytes(b"")
    error = refusal(tmp_path / name)
    assert (error.code, error.expected) == ("workbook_truncated", expected)


@pytest.mark.parametrize(
    ("member", "what"),
    [
        ("word/document.xml", "a Word document"),
        ("ppt/presentation.xml", "a PowerPoint presentation"),
        ("Index/Document.iwa", "Apple Numbers"),
        ("in/Sales.XLSX", "a zip archive that holds a workbook"),
        ("notes.txt", "a zip archive without a workbook"),
    ],
)
def test_a_zip_archive_is_called_by_what_it_holds(tmp_path: Path, member: str, what: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        archive.writestr(member, "x")
    error = refusal(tmp_path / "x.xlsx")
    assert (error.code, what in error.seen) == ("workbook_not_a_workbook", True)


def test_an_old_document_is_no_workbook_unless_it_lies_in_one(tmp_path: Path) -> None:
    name = "WordDocument".encode("utf-16-le")
    (tmp_path / "x.xls").write_bytes(OLE + bytes(600) + name + bytes(600))
    assert "a Word document" in refusal(tmp_path / "x.xls").seen
    far = bytes((1 << 20) - 10) + "Workbook".encode("utf-16-le") + bytes(1 << 18)
    (tmp_path / "x.xls").write_bytes(OLE + name + far)
    assert refusal(tmp_path / "x.xls").code in ("workbook_damaged", "workbook_hostile")
