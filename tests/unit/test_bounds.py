"""A small file that holds much: refused by a bound that is asked before memory is taken, not when it is gone."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from factload.errors import WorkbookError
from factload.sheet.csv import source as csv_source
from factload.sheet.file_kind import refuse_a_broken_zip
from factload.sheet.inflate import BROKEN, inflated
from factload.sheet.limits import Limits
from factload.sheet.source import open_source
from factload.sheet.workbook_file import opened
from factload.sheet.xlsx.slow_path import SheetParser
from factload.sheet.xlsx.windows import Windows
from factload.vectors import taken
from tests import expected, sheetxml
from tests.opendocument import number, ods, text
from tests.opendocument import row as ods_row

FIELDS = [expected.field("k", "text", key=True), expected.field("m", "numeric(18,4)")]
HEADER = sheetxml.text_row(1, ["k", "m"])
HEAD = f'<worksheet xmlns="{sheetxml.TRANSITIONAL}"><sheetData>'.encode()
LIMITS = Limits(window_text_bytes=100_000)


def refusal(path: Path, **options: Any) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        expected.split(path, FIELDS, **options)
    assert caught.value.code == "workbook_hostile"
    return caught.value


def naming(row: int, cells: int) -> str:
    """A row of cells that all name the first shared string."""
    from factload.sheet.references import column_letters

    named = "".join(f'<c r="{column_letters(i)}{row}" t="s"><v>0</v></c>' for i in range(1, cells + 1))
    return f'<row r="{row}">{named}</row>'


class Counted:
    """Shared strings that count how often they are asked for."""

    def __init__(self, text: str) -> None:
        self._text, self.asked = text, 0

    def __len__(self) -> int:
        return 1

    def text(self, index: int) -> str:
        self.asked += 1
        return self._text


@pytest.mark.parametrize(("said", "most"), [("x" * 1000, 11), ("é" * 500, 11), ("€" * 333, 11)])
def test_cells_that_name_one_long_string_are_read_up_to_the_limit_and_no_further(
    said: str, most: int
) -> None:
    strings = Counted(said)
    parser = SheetParser("the sheet", strings, {}, max_text_bytes=10_000)
    with pytest.raises(WorkbookError, match="too much text"):
        parser.feed(HEAD + naming(2, 6).encode() + naming(3, 100).encode())
    assert strings.asked == most


def test_text_is_counted_anew_once_rows_are_taken_out_of_the_parser() -> None:
    parser = SheetParser("the sheet", Counted("x" * 1000), {}, max_text_bytes=10_000)
    parser.feed(HEAD)
    for row in range(1, 100):
        assert len(parser.feed(naming(row, 9).encode())) == 1


@pytest.mark.parametrize("row", [1, 2, 50])
def test_the_rows_in_which_a_header_is_looked_for_hold_little_text(row: int, tmp_path: Path) -> None:
    rows = "".join(naming(i, 2) if i < row else naming(i, 300) for i in range(1, row + 1))
    strings = sheetxml.shared([f"<t>{'x' * 1000}</t>"])
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(rows), strings=strings)
    assert "FACTLOAD_LIMIT_WINDOW_TEXT_BYTES" in refusal(path, limits=LIMITS).remedy
    with open_source(path, LIMITS) as source, pytest.raises(WorkbookError, match="too much text"):
        list(source.all_rows(source.sheets[0]))


def test_rows_of_a_sheet_that_is_read_exactly_are_bounded_as_they_come(tmp_path: Path) -> None:
    part = sheetxml.sheet(HEADER + "".join(naming(i, 2) for i in range(2, 300)))
    for tag in ("worksheet", "sheetData", "row", "c", "v", "is", "t"):
        part = part.replace(f"<{tag}", f"<x:{tag}").replace(f"</{tag}>", f"</x:{tag}>")
    part = part.replace("<x:worksheet xmlns=", "<x:worksheet xmlns:x=")
    strings = sheetxml.shared([f"<t>{'1' * 1000}</t>"])
    path = sheetxml.write(tmp_path / "w.xlsx", part, strings=strings)
    assert "too much text" in refusal(path, limits=LIMITS).seen
    done, _ = expected.split(path, FIELDS, limits=Limits(window_text_bytes=1_000_000))
    assert done.source == 298


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_is_stored_or_deflated_and_of_the_size_it_says(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("part", b"x" * 1000)
    with (
        zipfile.ZipFile(tmp_path / "a.zip") as archive,
        pytest.raises(BROKEN, match="by method"),
        inflated(archive, archive.getinfo("part")),
    ):
        raise AssertionError("opened")


def test_a_stored_member_is_as_long_as_the_archive_says(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("part", b"x" * 1000)
    data = (tmp_path / "a.zip").read_bytes()
    entry = data.index(b"PK\1\2")
    (tmp_path / "a.zip").write_bytes(data[: entry + 24] + struct.pack("<I", 10) + data[entry + 28 :])
    with (
        zipfile.ZipFile(tmp_path / "a.zip") as archive,
        pytest.raises(BROKEN, match="another size"),
        inflated(archive, archive.getinfo("part")),
    ):
        raise AssertionError("opened")


@pytest.mark.parametrize("part", ["META-INF/manifest.xml", "content.xml"])
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_part_of_an_ods_workbook_is_inflated_by_another_method(
    method: int, part: str, tmp_path: Path
) -> None:
    plain = ods(tmp_path / "plain.ods", ods_row(text("k"), text("m")) + ods_row(text("x"), number("1")))
    path = tmp_path / "w.ods"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name), method if name == part else None)
    with pytest.raises(WorkbookError):
        expected.split(path, FIELDS)


def test_an_ods_workbook_with_an_encrypted_part_is_refused_by_name(tmp_path: Path) -> None:
    path = ods(tmp_path / "w.ods", ods_row(text("k"), text("m")))
    data = path.read_bytes()
    entry = data.rindex(b"content.xml") - 46
    path.write_bytes(data[: entry + 8] + struct.pack("<H", 1) + data[entry + 10 :])
    with pytest.raises(WorkbookError, match="encrypted"):
        expected.split(path, FIELDS)


def directory(entries: int, comment: bytes = b"", declared: int = 0xFFFF) -> bytes:
    """A zip archive of nothing but a directory; the last entry has a comment."""
    plain = struct.pack("<4sBBHHHHHIIIHHHHHII", b"PK\1\2", 20, 0, 20, *[0] * 14)
    last = plain[:32] + struct.pack("<H", len(comment)) + plain[34:] + comment
    whole = plain * (entries - 1) + last
    return (
        b"PK\3\4" + whole + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, declared, declared, len(whole), 4, 0)
    )


def members_bounded(path: Path, most: int) -> None:
    with opened(path) as file:
        refuse_a_broken_zip(file, max_members=most)


DECOY = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 3, 3, 46, 0)


@pytest.mark.parametrize("comment", [b"", DECOY, DECOY + b"PK\6\7" + bytes(15)])
@pytest.mark.parametrize("declared", [3, 0xFFFF])
def test_members_are_counted_where_they_are_listed(comment: bytes, declared: int, tmp_path: Path) -> None:
    path = tmp_path / "w.xlsx"
    path.write_bytes(directory(301, comment, declared))
    with pytest.raises(WorkbookError, match="301 members"):
        members_bounded(path, 300)
    members_bounded(path, 301)


def test_a_directory_longer_than_members_can_need_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "w.xlsx"
    path.write_bytes(directory(301))
    with pytest.raises(WorkbookError, match="13,846 bytes"):
        members_bounded(path, 13)


def test_a_big_archive_s_own_record_counts(tmp_path: Path) -> None:
    data = directory(301)
    at = len(data) - 22
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 301, 301, at - 4, 4)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, at, 1)
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 3, 3, 46, 4, 0)
    path = tmp_path / "w.xlsx"
    path.write_bytes(data[:at] + record + locator + end)
    assert len(zipfile.ZipFile(path).infolist()) == 301
    with pytest.raises(WorkbookError, match="301 members"):
        members_bounded(path, 300)
    path.write_bytes(data[:at] + record[:50] + locator + end)
    with pytest.raises(WorkbookError, match="record"):
        members_bounded(path, 300)


@pytest.mark.parametrize("packed", [False, True])
def test_long_records_above_a_csv_header_are_not_kept(packed: bool, tmp_path: Path) -> None:
    data = b"".join(b"%d" % (i % 10) * 30_000 + b"\n" for i in range(40)) + b"k,m\nx,1\n"
    path = tmp_path / ("w.csv.gz" if packed else "w.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    assert "too much text" in refusal(path, limits=LIMITS).seen
    assert expected.split(path, FIELDS)[0].source == 1


def test_long_csv_records_are_read_exactly_by_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lone = "\r"  # so that it is read exactly
    rows = "".join(f'"{"x" * 1000}{i}{lone}",{i}\n' for i in range(100))
    (tmp_path / "w.csv").write_text("k,m\n" + rows, newline="")
    held: list[int] = []
    whole = csv_source.CsvRows._exact_piece

    def noted(self: Any, records: Any, **options: Any) -> Any:
        held.append(len(records))
        return whole(self, records, **options)

    monkeypatch.setattr(csv_source.CsvRows, "_exact_piece", noted)
    monkeypatch.setattr(csv_source, "_EXACT_BYTES", 9_000)
    done, _ = expected.split(tmp_path / "w.csv", FIELDS)
    assert (done.source, max(held), sum(held)) == (100, 9, 100)


def test_a_gzip_header_without_end_is_refused_by_name(tmp_path: Path) -> None:
    data = gzip.compress(b"k,m\nx,1\n")
    path = tmp_path / "w.csv.gz"
    path.write_bytes(data[:3] + b"\x08" + data[4:10] + b"n" * 600_000 + b"\0" + data[10:])
    with pytest.raises(WorkbookError, match="can't be inflated"):
        expected.split(path, FIELDS)


@pytest.mark.parametrize(
    ("limits", "setting"),
    [
        (Limits(window_text_bytes=50_000), "FACTLOAD_LIMIT_WINDOW_TEXT_BYTES"),
        (Limits(window_text_bytes=30_000), "FACTLOAD_LIMIT_WINDOW_TEXT_BYTES"),  # one row alone
        (Limits(text_chars=900), "FACTLOAD_LIMIT_TEXT_CHARS"),
    ],
)
def test_texts_above_the_header_of_an_ods_workbook_are_bounded(
    limits: Limits, setting: str, tmp_path: Path
) -> None:
    long = ods_row(*[text("é" * 1000)] * 20)
    path = ods(tmp_path / "w.ods", long * 2 + ods_row(text("k"), text("m")))
    assert setting in refusal(path, limits=limits).remedy


@pytest.mark.parametrize(
    ("limits", "setting"),
    [
        (Limits(window_text_bytes=1500), "FACTLOAD_LIMIT_WINDOW_TEXT_BYTES"),
        (Limits(text_chars=900), "FACTLOAD_LIMIT_TEXT_CHARS"),
    ],
)
def test_texts_below_the_header_of_an_ods_workbook_are_bounded(
    limits: Limits, setting: str, tmp_path: Path
) -> None:
    rows = (
        ods_row(text("k"), text("m")) + ods_row(text("x")) * 60 + ods_row(text("é" * 1000), text("é" * 1000))
    )
    path = ods(tmp_path / "w.ods", rows)
    assert setting in refusal(path, limits=limits).remedy


def test_all_rows_of_an_ods_workbook_come_one_by_one(tmp_path: Path) -> None:
    rows = ods_row(text("k"), text("m")) + ods_row(text("é\n" * 500)) * 200
    path = ods(tmp_path / "w.ods", rows)
    with open_source(path, LIMITS) as source:
        assert len(list(source.all_rows(source.sheets[0]))) == 201
        assert not source.is_empty(source.sheets[0])


@pytest.mark.parametrize("rows_per_window", [1, 7, 100])
def test_a_window_has_no_more_rows_than_its_columns_allow(rows_per_window: int) -> None:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (i, i) for i in range(1, 101))
    windows = Windows(
        io.BytesIO(HEAD + rows + b"</sheetData></worksheet>"),
        skip_to_row=0,
        rows_per_partition=30,
        rows_per_window=rows_per_window,
        window_bytes=1 << 20,
        limits=Limits(),
    )
    cut = [(len(window.ends), window.ends_partition) for window in windows]
    assert max(size for size, _ in cut) == min(rows_per_window, 30)
    assert sum(size for size, _ in cut) == 100
    assert sum(ends for _, ends in cut) == 3


@pytest.fixture
def pool() -> Iterator[Any]:
    """Arrow's memory, counted from nothing."""
    before = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(before)
    pa.set_memory_pool(counted)
    yield counted
    pa.set_memory_pool(before)


def test_few_texts_taken_often_set_no_memory_aside_that_they_do_not_fill(pool: Any) -> None:
    values = pa.array(["x" * 1_000_000, "y", ""])
    index = np.full(500_000, 1)
    index[7], index[400_000] = 0, 2
    found = taken(values, index)
    assert pool.max_memory() < 200_000_000
    assert found.equals(pa.array(["y"] * 7 + ["x" * 1_000_000] + ["y"] * 399_992 + [""] + ["y"] * 99_999))


def test_taken_is_what_arrow_takes() -> None:
    values = pa.array(["a", "", "ccc", "dd"])[1:]
    assert taken(values, np.array([2, 0, 1, 1])).to_pylist() == ["dd", "", "ccc", "ccc"]
    assert taken(values[:0], np.array([], np.int64)).to_pylist() == []


def test_a_sheet_with_hardly_any_mapped_value_is_read_in_little_memory(pool: Any, tmp_path: Path) -> None:
    """Rows with nothing but a remark, in a column that is not mapped; two keys far apart."""
    rows = HEADER + "".join(
        f'<row r="{i}"><c r="A{i}" t="inlineStr"><is><t>x</t></is></c></row>'
        if i in (100, 29_000)
        else f'<row r="{i}"><c r="Z{i}"><v>1</v></c></row>'
        for i in range(2, 30_000)
    )
    path = sheetxml.write(tmp_path / "w.xlsx", sheetxml.sheet(rows))
    done, found = expected.split(path, FIELDS, rows_per_partition=100_000)
    assert (done.source, [row["row"] for row in found]) == (29_998, [100, 29_000])
    assert pool.max_memory() < 200_000_000
