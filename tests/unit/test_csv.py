"""Csv files: every field is what Python's csv module reads, and every row is counted, whatever the quoting."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factload.errors import WorkbookError
from factload.sheet.csv import source as csv_source
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.limits import Limits
from factload.sheet.source import inspect
from tests import expected

NAMES = ["k", "t", "n"]
FIELDS = [expected.field(name, "text") for name in NAMES]


def write(folder: Path, data: str | bytes, name: str = "sales.csv") -> Path:
    path = folder / name
    raw = data.encode() if isinstance(data, str) else data
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def read(path: Path, *fields: Any, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
    return expected.split(path, fields or FIELDS, **options)


def refusal(path: Path, *fields: Any, **options: Any) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        read(path, *fields, **options)
    return caught.value


def wanted(text: str, delimiter: str, quote: str | None) -> list[dict[str, Any]]:
    """The rows by Python's csv module: line, texts, and whether it is ragged; rows without a value are none."""
    lines = io.StringIO(text, newline="")
    reader = (
        csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
        if quote
        else csv.reader(lines, delimiter=delimiter, quotechar=None, quoting=csv.QUOTE_NONE, strict=True)
    )
    rows, line = [], 1
    for fields in reader:
        if line > 1 and any(fields):
            ragged = len(fields) != len(NAMES)
            values = [None if ragged or not text else text for text in [*fields, "", "", ""][:3]]
            rows.append({"row": line, **dict(zip(NAMES, values, strict=True)), "ragged": ragged})
        line = reader.line_num + 1
    return rows


pieces = st.sampled_from(
    [
        "a",
        "1",
        "é",
        "日本",
        " ",
        "",
        '"',
        '""',
        '"x"',
        '"a,b"',
        '"a\nb"',
        '"a\r\nb"',
        '"say ""hi"""',
        '""""',
        ",",
        "\n",
        "\r\n",
        ";",
        "x",
        '5" pipe',
        '" "',
        "''",
        "|",
        '"\n"',
        '",\n"',
        "\t",
    ]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parts=st.lists(pieces, max_size=60),
    delimiter=st.sampled_from(",;|\t"),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quote=st.sampled_from(['"', '"', "'", None]),
    block=st.sampled_from([1, 20, 1 << 20]),
    rows_per_partition=st.sampled_from([2, 1000, 1000, 1000]),
    bom=st.booleans(),
)
def test_every_field_is_what_pythons_csv_reads(
    parts: list[str],
    delimiter: str,
    ending: str,
    quote: str | None,
    block: int,
    rows_per_partition: int,
    bom: bool,
) -> None:
    body = "".join(parts).replace(",", delimiter).replace("\n", ending).replace("\r\r", "\r")
    text = delimiter.join(NAMES) + ending + body
    dialect = CsvDialect("utf-8", delimiter, quote or "")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_source, "BLOCK_BYTES", block)
        path = write(Path(folder), ("\ufeff" if bom else "").encode() + text.encode())
        options: dict[str, Any] = {"csv": dialect, "rows_per_partition": rows_per_partition}
        try:
            rows = wanted(text, delimiter, quote)
        except csv.Error:
            assert refusal(path, **options).code == "csv_quotes"
            return
        done, found = read(path, **options)
    kept = [row for row in rows if row["ragged"] or any(row[n] and row[n].strip() for n in NAMES)]
    assert [
        {**{n: row[n] for n in ("row", *NAMES)}, "ragged": row["reason"] == "ragged_row"} for row in found
    ] == kept
    assert (done.source, done.blank) == (len(rows), len(rows) - len(kept))
    assert done.rejected == sum(row["ragged"] for row in rows)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1234.5", "numeric(18,4)", Decimal("1234.5000")),
        (" 12 ", "integer", 12),
        ("+7", "integer", 7),
        ("-0.00025", "numeric(18,4)", Decimal("-0.0002")),
        ("1e3", "bigint", 1000),
        (".5", "double precision", 0.5),
        ("2024-02-29", "date", date(2024, 2, 29)),
        ("2024-02-29T10:30", "timestamp", datetime(2024, 2, 29, 10, 30)),
        ("2024-02-29 10:30:15.25", "timestamp", datetime(2024, 2, 29, 10, 30, 15, 250000)),
        ("True", "boolean", True),
        ("0", "boolean", False),
        ("00123", "text", "00123"),
        (" x ", "text", " x "),
        ("12345678901234567890", "text", "12345678901234567890"),
    ],
)
def test_a_text_of_the_declared_type(text: str, kind: str, value: object, tmp_path: Path) -> None:
    path = write(tmp_path, f'v,w\n{text},1\n"{text}",2\n')
    _, rows = read(path, expected.field("v", kind), expected.field("w", "integer"))
    assert [(row["v"], row["reason"]) for row in rows] == [(value, None)] * 2


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("1 234", "integer", "not_a_number"),
        (".", "numeric(5,1)", "not_a_number"),
        ("0x1F", "integer", "not_a_number"),
        ("NaN", "double precision", "not_a_number"),
        ("inf", "double precision", "not_a_number"),
        ("1_000", "integer", "not_a_number"),
        ("\u0661", "integer", "not_a_number"),
        ("99999", "smallint", "number_out_of_range"),
        ("1.5", "integer", "not_an_integer"),
        ("2023-02-29", "date", "not_a_date"),
        ("20240229", "date", "not_a_date"),
        ("45351", "date", "not_a_date"),
        ("2024-02-29 10:30", "date", "not_a_date"),
        ("29.02.2024", "date", "not_a_date"),
        ("yes", "boolean", "not_a_boolean"),
        ("", "integer", "blank_value"),
        ("  ", "integer", "blank_value"),
    ],
)
def test_a_text_that_is_none_of_the_type_is_a_reject(
    text: str, kind: str, reason: str, tmp_path: Path
) -> None:
    path = write(tmp_path, f"w,v\n1,{text}\n")
    _, (row,) = read(path, expected.field("v", kind, required=True), expected.field("w", "integer"))
    assert (row["reason"], row["cell"], row["column"], row["raw"]) == (reason, "B2", "v", text or None)


def test_a_ragged_row_is_rejected_with_the_line_where_it_begins(tmp_path: Path) -> None:
    path = write(tmp_path, 'k,t,n\n1,"a\nb",2\n3,4\n"x\ny",5,6,7\n\n,,\n,,,\n8,9,10')
    done, rows = read(path, *FIELDS[:2])
    assert [(row["row"], row["reason"], row["cell"], row["raw"]) for row in rows] == [
        (2, None, None, None),
        (4, "ragged_row", "A4", "3,4"),
        (5, "ragged_row", "A5", '"x\ny",5,6,7'),
        (10, None, None, None),
    ]
    assert (done.source, done.blank, done.rejected) == (4, 0, 2)


def test_the_sheet_is_named_as_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a note\n\nk,t,n\n1,2,3\n", "sales_2026-11-05.csv.gz")
    (sheet,) = inspect(path)
    assert sheet.name == "sales_2026-11-05"
    done, rows = read(path, sheet="sales_2026-11-05")
    assert [row["row"] for row in rows] == [4]
    assert done.partitions[0].label == "sales_2026-11-05 4–4"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "shift_jis", "cp037"]
)
def test_a_declared_encoding(encoding: str, tmp_path: Path) -> None:
    text = "ä" if encoding != "shift_jis" else "日本"
    path = write(tmp_path, f"k,t,n\n{text},2,3\n".encode(encoding))
    _, (row,) = read(path, csv=CsvDialect(encoding))
    assert row["k"] == text


@pytest.mark.parametrize(
    ("data", "name", "code", "line"),
    [
        (b"k,t,n\n1,2,3\n\xff,2,3\n", "s.csv", "csv_encoding", "Line 3"),
        ("k,t,n\n1,2,3\n".encode("utf-16"), "s.csv", "csv_encoding", "Line 1"),
        (b"k,t,n\n1,2,3\na\0,2,3\n", "s.csv", "csv_nul", "Line 3"),
        (b'k,t,n\n1,2,3\n"a,2,3\n', "s.csv", "csv_quotes", "line 3"),
        (b'k,t,n\n1,2,3\n"a"b,2,3\n', "s.csv", "csv_quotes", "line 3"),
        (b"", "s.csv", "workbook_truncated", "empty"),
        (b"\n\n", "s.csv", "header_missing", "empty"),
        (b"k,t\n1,2\n", "s.csv", "header_missing", "'n'"),
        (b"k,t,n,K\n1,2\n", "s.csv", None, ""),
        (b"k,t,n,k\n1,2\n", "s.csv", "header_duplicate", "A1 and D1"),
        (b"k,t,n\n1,2,3\n", "s.txt", "workbook_not_a_workbook", "s.txt"),
    ],
)
def test_refused_with_a_name(data: bytes, name: str, code: str | None, line: str, tmp_path: Path) -> None:
    path = write(tmp_path, data, name)
    if code is None:
        assert read(path)[0].rejected == 1
        return
    error = refusal(path)
    assert (error.code, line in error.seen) == (code, True)


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-15", "utf-16-le"])
def test_a_file_that_says_that_it_is_utf_8_is_not_read_as_anything_else(
    encoding: str, tmp_path: Path
) -> None:
    path = write(tmp_path, "id,k,t,n\n1,Zürich,2,3\n".encode("utf-8-sig"))
    error = refusal(path, csv=CsvDialect(encoding))
    assert (error.code, "UTF-8" in error.seen) == ("csv_encoding", True)


@pytest.mark.parametrize(
    ("text", "written", "declared", "warned"),
    [
        ("Zürich", "utf-8", "cp1252", True),
        ("Zürich", "utf-8", "iso-8859-15", True),
        ("Zürich", "cp1252", "cp1252", False),
        ("Zurich", "utf-8", "cp1252", False),
        ("Zürich", "utf-16", "utf-16", False),
        ("Zürich", "utf-8", "utf-8", False),
        ('5" Zürich', "utf-8", "cp1252", True),
    ],
)
def test_a_file_that_could_be_utf_8_is_warned_of(
    text: str, written: str, declared: str, warned: bool, tmp_path: Path
) -> None:
    path = write(tmp_path, f"k,t,n\na,{text},3\n".encode(written))
    done, rows = read(path, csv=CsvDialect(declared))
    assert (len(rows), bool(done.warnings)) == (1, warned)
    assert all("workbook.csv.encoding" in warning for warning in done.warnings)


def test_bad_bytes_in_another_encoding_are_named_with_their_line(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, b"k,t,n\n1,2,3\n\x81,2,3\n"), csv=CsvDialect("cp1252"))
    assert (error.code, "Line 3" in error.seen) == ("csv_encoding", True)


def test_a_broken_gzip_file(tmp_path: Path) -> None:
    whole = gzip.compress(b"k,t,n\n" + b"1,2,3\n" * 5000, mtime=0)
    path = tmp_path / "s.csv.gz"
    path.write_bytes(whole[:-20])
    assert refusal(path).code == "workbook_truncated"
    path.write_bytes(whole[:-4] + b"\0\0\0\x7f")  # two gigabytes, it says
    assert refusal(path).code == "workbook_damaged"
    path.write_bytes(whole[:-8] + b"\0" * 8)
    assert refusal(path).code == "workbook_damaged"
    path.write_bytes(whole + gzip.compress(b"7,8,9\n"))  # two members are one file
    assert read(path)[0].source == 5001


def test_what_a_file_may_hold_is_bounded(tmp_path: Path) -> None:
    bomb = write(tmp_path, b"k,t,n\n" + b"\n" * 40_000_000, "s.csv.gz")
    assert bomb.stat().st_size < 100_000
    assert refusal(bomb).code == "workbook_hostile"
    whole = bomb.read_bytes()
    bomb.write_bytes(whole[:-4] + (2 * len(whole) * 100).to_bytes(4, "little"))  # less than there is
    assert refusal(bomb, rows_per_partition=100_000).code == "workbook_hostile"
    bomb.write_bytes(whole + gzip.compress(b"\n"))  # at its end it says one byte
    assert refusal(bomb, rows_per_partition=100_000).code == "workbook_hostile"
    line = write(tmp_path, "k,t,n\n" + "x" * 10_000)
    assert refusal(line, limits=Limits(row_bytes=5_000)).code == "workbook_hostile"
    assert refusal(line, limits=Limits(text_chars=5_000)).code == "workbook_hostile"
    quoted = write(tmp_path, 'k,t,n\n"' + "x\n" * 10_000)
    error = refusal(quoted, limits=Limits(row_bytes=5_000))
    assert (error.code, "line 2" in error.seen) == ("workbook_hostile", True)
    assert refusal(line, limits=Limits(sheet_bytes=5_000)).code == "workbook_hostile"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_common_programs_write_is_read_by_blocks(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 50)
    monkeypatch.setattr(csv_source.CsvRows, "exactly", None)
    lines = ["a title", "", "k,t,n", *(f'{i},"x, ""{i}""{ending}y",' for i in range(100)), "", ",,", "1,2"]
    done, rows = read(write(tmp_path, ending.join(lines)))
    assert (done.source, done.blank, done.rejected) == (101, 0, 1)
    assert rows[99] == {
        "row": 202, "k": "99", "t": f'x, "99"{ending}y', "n": None, "reason": None, "column": None, "cell": None, "raw": None
    }  # fmt: skip
    assert (rows[100]["row"], rows[100]["reason"]) == (206, "ragged_row")


@pytest.mark.parametrize(("delimiter", "shown"), [(";", '";"'), ("\t", '"\\t"'), ("|", '"|"')])
def test_names_between_other_delimiters_name_the_delimiter(
    tmp_path: Path, delimiter: str, shown: str
) -> None:
    path = tmp_path / "w.csv"
    path.write_text(
        delimiter.join(["a title", "", ""]) + "\n" + delimiter.join(['"k"', "m", "x"]) + "\n1;2;3\n"
    )
    with pytest.raises(WorkbookError) as caught:
        expected.split(path, [expected.field("k", "text"), expected.field("m", "text")])
    assert caught.value.code == "csv_delimiter"
    assert f"delimiter: {shown}" in caught.value.remedy
    assert "Line 2" in caught.value.seen
