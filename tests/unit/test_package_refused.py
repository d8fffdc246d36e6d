"""Files that are broken, hostile or something else: refused with a name, the process alive."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from factload.errors import FeedError, WorkbookError
from factload.propose.workbook_seen import look_at_sheet
from factload.sheet.limits import Limits
from factload.sheet.source import inspect
from factload.sheet.xlsx import source as xlsx_source
from tests import expected, sheetxml

FIELDS = [expected.field("k", "text", key=True), expected.field("m", "numeric(18,4)")]
HEADER = sheetxml.text_row(1, ["k", "m"])
GOOD = HEADER + '<row r="2"><c r="A2" t="inlineStr"><is><t>x</t></is></c><c r="B2"><v>1</v></c></row>'
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENTITY = '<!DOCTYPE worksheet [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'

Maker = Callable[[Path], Path]


def refusal(path: Path, **options: object) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        expected.split(path, FIELDS, **options)
    assert not caught.value.retry
    return caught.value


def of_bytes(data: bytes) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / "w.xlsx"
        path.write_bytes(data)
        return path

    return make


def of_sheet(part: str | bytes, strings: str | None = None) -> Maker:
    return lambda folder: sheetxml.write(folder / "w.xlsx", part, strings=strings)


def of_members(members: dict[str, bytes]) -> Maker:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "w.xlsx", "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return folder / "w.xlsx"

    return make


def damaged_bytes(change: Callable[[bytes], bytes]) -> Maker:
    def make(folder: Path) -> Path:
        path = sheetxml.write(folder / "w.xlsx", sheetxml.sheet(GOOD))
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def flip_in_sheet(data: bytes) -> bytes:
    """One bit of the sheet's compressed data turned over."""
    name = data.index(b"xl/worksheets/sheet1.xml")
    at = name + len("xl/worksheets/sheet1.xml") + 40
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def wrong_crc(data: bytes) -> bytes:
    at = data.rindex(b"xl/worksheets/sheet1.xml") - 46 + 16  # in the central directory
    return data[:at] + b"\1\2\3\4" + data[at + 4 :]


def marked_encrypted(data: bytes) -> bytes:
    at = data.rindex(b"xl/worksheets/sheet1.xml") - 46 + 8
    return data[:at] + struct.pack("<H", 1) + data[at + 2 :]


def twice(folder: Path) -> Path:
    path = sheetxml.write(folder / "w.xlsx", sheetxml.sheet(GOOD))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("XL\\worksheets\\Sheet1.xml", sheetxml.sheet(HEADER))
    return path


def row(number: int | str, cells: str = "") -> str:
    return f'<row r="{number}">{cells}</row>'


def number(reference: str, value: object = 1) -> str:
    return f'<c r="{reference}"><v>{value}</v></c>'


CASES: list[tuple[str, Maker, str]] = [
    ("missing", lambda folder: folder / "none.xlsx", "workbook_missing"),
    ("folder", lambda folder: folder, "workbook_missing"),
    ("empty file", of_bytes(b""), "workbook_truncated"),
    ("text", of_bytes(b"k,m\nx,1\n"), "workbook_not_a_workbook"),
    ("html", of_bytes(b"<html><table><tr><td>k</td></tr></table></html>"), "workbook_not_a_workbook"),
    ("encrypted", of_bytes(OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le")), "workbook_encrypted"),
    ("xls", of_bytes(OLE + bytes(500) + "Workbook".encode("utf-16-le")), "workbook_damaged"),
    ("zip of something", of_members({"a.txt": b"x"}), "workbook_not_a_workbook"),
    ("empty zip", of_members({}), "workbook_not_a_workbook"),
    (
        "ods",
        of_members({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
        "workbook_format_unsupported",
    ),
    ("cut in half", damaged_bytes(lambda data: data[: len(data) // 2]), "workbook_truncated"),
    ("end cut off", damaged_bytes(lambda data: data[:-10]), "workbook_truncated"),
    ("bit flipped", damaged_bytes(flip_in_sheet), "workbook_damaged"),
    ("wrong crc", damaged_bytes(wrong_crc), "workbook_damaged"),
    ("encrypted member", damaged_bytes(marked_encrypted), "workbook_encrypted"),
    ("member twice", twice, "workbook_damaged"),
    (
        "entities",
        of_sheet(sheetxml.sheet(GOOD).replace("<worksheet", ENTITY + "<worksheet")),
        "workbook_hostile",
    ),
    (
        "entities in strings",
        of_sheet(sheetxml.sheet(GOOD), sheetxml.shared([]).replace("<sst", ENTITY + "<sst")),
        "workbook_hostile",
    ),
    ("unknown encoding", of_sheet(sheetxml.sheet(GOOD).replace("UTF-8", "UTF-999")), "workbook_damaged"),
    ("no xml", of_sheet(b"\0\1\2"), "workbook_damaged"),
    ("breaks off", of_sheet(sheetxml.sheet(GOOD)[:-40]), "workbook_damaged"),
    ("broken row", of_sheet(sheetxml.sheet(GOOD + "<row r='3'><c></row>")), "workbook_damaged"),
    ("broken tail", of_sheet(sheetxml.sheet(GOOD, tail="<mergeCells></wrong>")), "workbook_damaged"),
    ("bare ampersand", of_sheet(sheetxml.sheet(GOOD.replace(">x<", ">R&D<"))), "workbook_damaged"),
    ("undefined entity", of_sheet(sheetxml.sheet(GOOD.replace(">x<", ">&nbsp;<"))), "workbook_damaged"),
    ("illegal character", of_sheet(sheetxml.sheet(GOOD.replace(">x<", ">&#0;<"))), "workbook_damaged"),
    ("not UTF-8", of_sheet(sheetxml.sheet(GOOD).encode().replace(b">x<", b">\xff\xfe<")), "workbook_damaged"),
    ("same row twice", of_sheet(sheetxml.sheet(GOOD + row(2, number("A2")))), "duplicate_row"),
    (
        "rows fall",
        of_sheet(sheetxml.sheet(GOOD + row(5, number("A5")) + row(4, number("A4")))),
        "duplicate_row",
    ),
    ("same cell twice", of_sheet(sheetxml.sheet(GOOD + row(3, number("A3") * 2))), "workbook_damaged"),
    ("cell of another row", of_sheet(sheetxml.sheet(GOOD + row(3, number("A4")))), "workbook_damaged"),
    ("row 0", of_sheet(sheetxml.sheet(row(0) + GOOD)), "workbook_damaged"),
    ("row too far", of_sheet(sheetxml.sheet(GOOD + row(1_048_577, number("A1048577")))), "workbook_damaged"),
    ("column too far", of_sheet(sheetxml.sheet(GOOD + row(3, number("XFE3")))), "workbook_damaged"),
    (
        "no such string",
        of_sheet(
            sheetxml.sheet(GOOD + row(3, '<c r="A3" t="s"><v>7</v></c>')), sheetxml.shared(["<t>one</t>"])
        ),
        "workbook_damaged",
    ),
    (
        "unknown type",
        of_sheet(sheetxml.sheet(GOOD + row(3, '<c r="A3" t="q"><v>7</v></c>'))),
        "workbook_damaged",
    ),
]


@pytest.mark.parametrize(("make", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_refused_with_a_name(make: Maker, code: str, tmp_path: Path) -> None:
    error = refusal(make(tmp_path))
    assert error.code == code
    assert error.seen
    assert error.remedy
    assert list(tmp_path.glob("**/*.part")) == []


def test_two_cells_at_opposite_corners_are_two_rows(tmp_path: Path) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(GOOD + row(1_048_576, number("XFD1048576"))))
    done, rows = expected.split(path, FIELDS)
    assert (done.source, done.blank, [r["row"] for r in rows]) == (2, 1, [2])


def test_a_sheet_that_inflates_a_thousand_times(tmp_path: Path) -> None:
    path = tmp_path / "w.xlsx"
    sheetxml.write(path, sheetxml.sheet(GOOD + " " * 40_000_000))
    assert path.stat().st_size < 100_000
    assert refusal(path).code == "workbook_hostile"


def test_a_sheet_beyond_the_bytes_allowed(tmp_path: Path) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(GOOD))
    error = refusal(path, limits=Limits(sheet_bytes=100))
    assert error.code == "workbook_hostile"
    assert "100" in error.expected
    assert "FACTLOAD_LIMIT_SHEET_BYTES" in error.remedy


def test_more_members_than_allowed(tmp_path: Path) -> None:
    path = of_members({f"m{i}": b"" for i in range(11_000)})(tmp_path)
    error = refusal(path)
    assert error.code == "workbook_hostile"
    assert "11,000" in error.seen


def test_a_row_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = row(3, '<c r="A3"/>' * 1000)
    monkeypatch.setattr(xlsx_source, "WINDOW_BYTES", 1000)
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(GOOD + endless))
    assert refusal(path, limits=Limits(row_bytes=5000)).code == "workbook_hostile"


def test_a_text_beyond_the_characters_allowed(tmp_path: Path) -> None:
    cell = f'<c r="A3" t="inlineStr"><is><r><t>{"x" * 2000}</t></r></is></c>'
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(GOOD + row(3, cell)))
    assert refusal(path, limits=Limits(text_chars=1000)).code == "workbook_hostile"


def test_a_string_shared_by_more_cells_than_memory_holds(tmp_path: Path) -> None:
    cells = "".join(row(i, f'<c r="A{i}" t="s"><v>0</v></c>') for i in range(3, 600))
    path = sheetxml.write(
        tmp_path / "w.xlsx",
        sheetxml.sheet(GOOD + cells),
        strings=sheetxml.shared([f"<t>{'x' * 1_000_000}</t>"]),
    )
    assert refusal(path).code == "workbook_hostile"


def test_inspect_refuses_the_same(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="password"):
        inspect(of_bytes(OLE + "EncryptedPackage".encode("utf-16-le"))(tmp_path))


def test_a_message_holds_no_cell_value(tmp_path: Path) -> None:
    part = sheetxml.sheet(GOOD.replace(">x<", ">secret<") + row(3, '<c r="A3" t="q"><v>secret</v></c>'))
    assert "secret" not in str(refusal(sheetxml.write(tmp_path / "w.xlsx", part)))


def test_limits_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Limits.from_environment() == Limits()
    monkeypatch.setenv("FACTLOAD_LIMIT_ROW_BYTES", "5_000")
    assert Limits.from_environment() == Limits(row_bytes=5000)
    for wrong in ("0", "-1", "many", "1e9"):
        monkeypatch.setenv("FACTLOAD_LIMIT_RATIO", wrong)
        with pytest.raises(FeedError, match="FACTLOAD_LIMIT_RATIO"):
            Limits.from_environment()


def test_whoever_opens_a_workbook_keeps_the_limits_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(GOOD))
    look_at_sheet(path, None, None)
    monkeypatch.setenv("FACTLOAD_LIMIT_SMALL_PART_BYTES", "50")
    for reader in (inspect, lambda workbook: look_at_sheet(workbook, None, None), refusal_of_split):
        with pytest.raises(WorkbookError, match="FACTLOAD_LIMIT_SMALL_PART_BYTES"):
            reader(path)


def refusal_of_split(path: Path) -> None:
    raise refusal(path)
