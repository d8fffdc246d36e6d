"""``factload.scan``: the rows that a load would stage, as a stream that can't be taken back, and the rejects beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from factload import FactloadError, FeedError, Scan, WorkbookError, scan
from factload.scanning import batches
from factload.sheet.choices import CellChoices
from factload.sheet.csv import source as csv_source
from factload.sheet.xlsx import source as xlsx_source
from tests import expected, sheetxml
from tests.opendocument import number, ods, row, text

COLUMNS = {"K": "text", "N": "numeric(12,2)"}
FIELDS = [expected.field("K", "text"), expected.field("N", "numeric(12,2)")]
ROWS = 400


def line(number: int, key: str, value: str, *, numbered: bool = True) -> str:
    at = f' r="{number}"' if numbered else ""
    return f'<row{at}><c r="A{number}" t="inlineStr"><is><t>{key}</t></is></c><c r="B{number}"><v>{value}</v></c></row>'


def sheet(rows: Callable[[int], str], tail: str = "") -> str:
    body = "".join(rows(number) for number in range(2, ROWS + 2))
    return sheetxml.sheet(sheetxml.text_row(1, ["K", "N"]) + body, tail=tail)


def plain(number: int) -> str:
    """Rows of which every tenth has no value that fits."""
    return line(number, f"k{number}", "1e30" if number % 10 == 0 else f"{number}.5")


def plain_at_first(number: int) -> str:
    return line(number, f"k{number}", f"{number}.5", numbered=number < ROWS)


def with_gaps(number: int) -> str:
    """A column of its own alone, as in a remark: such rows are blank."""
    if number % 7:
        return plain(number)
    return f'<row r="{number}"><c r="D{number}"><v>1</v></c></row>'


def with_a_gap_at_first(number: int) -> str:
    """Pieces without any row that is read, then others, and a row that only the exact reader reads."""
    remark = f'<row r="{number}"><c r="D{number}"><v>1</v></c></row>'
    return remark if 60 < number < 250 else plain_at_first(number)


MERGED = '<mergeCells count="2"><mergeCell ref="B3:B5"/><mergeCell ref="B200:B390"/></mergeCells>'
TAILS = {
    "plain": sheet(plain),
    "with gaps": sheet(with_gaps),
    "a row at the end that only the exact reader reads": sheet(plain_at_first),
    "pieces without rows, and such a row": sheet(with_a_gap_at_first),
    "merged cells, said after the rows": sheet(plain, MERGED),
    "formulas that are out of date, said after the rows": sheet(
        lambda n: plain(n).replace(f'<c r="B{n}">', f'<c r="B{n}"><f>A1</f>'),
        '<sheetCalcPr fullCalcOnLoad="1"/>',
    ),
}


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet of some hundred rows has many windows, as one of a million has."""
    monkeypatch.setattr(xlsx_source, "WINDOW_BYTES", 4_000)
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 500)
    monkeypatch.setattr(batches, "PLACES_PER_PIECE", 100)


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    return sheetxml.write(tmp_path / "plain.xlsx", TAILS["plain"])


def staged(path: Path, **options: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a load takes of the workbook: its rows, and what is noted of its rejects."""
    _, rows = expected.split(path, FIELDS, **options)
    good = [{name: row[name] for name in COLUMNS} for row in rows if row["reason"] is None]
    return good, [
        {name: row[name] for name in ("row", "cell", "column", "raw", "reason")}
        for row in rows
        if row["reason"]
    ]


def scanned(reading: Scan) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    good = reading.read_all().to_pylist()
    counts = reading.counts
    assert counts.source == counts.blank + counts.rejected + counts.rows + sum(counts.left_out.values())
    assert (counts.rows, counts.rejected) == (len(good), reading.rejects.num_rows)
    return good, reading.rejects.drop_columns(["sheet"]).to_pylist()


@pytest.mark.parametrize("merged", ["reject", "blank", "repeat"])
@pytest.mark.parametrize("tail", TAILS)
def test_a_scan_gives_the_rows_and_the_rejects_of_a_load(tail: str, merged: Any, tmp_path: Path) -> None:
    path = sheetxml.write(tmp_path / "sales.xlsx", TAILS[tail])
    assert scanned(scan(path, columns=COLUMNS, merged=merged)) == staged(path, cells=CellChoices(merged))


@pytest.mark.parametrize("last", ["z,1.5\n", 'a "quoted" word,1.5\n', 'z,"1.5"\r\n', "z,1,2\n"])
def test_a_scan_of_a_csv_file(last: str, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("K,N\n" + "".join(f'"k{n}",{n}.5\n' for n in range(ROWS)) + last)
    assert scanned(scan(path, columns=COLUMNS)) == staged(path)


def test_the_rest_of_a_feeds_words_say_what_is_data(tmp_path: Path) -> None:
    xml = sheet(lambda n: line(n, "Total" if n == 300 else "Sub" if n % 100 == 0 else "k", f"{n}"))
    path = sheetxml.write(tmp_path / "sales.xlsx", xml)
    reading = scan(
        path,
        columns={"key": {"column": "K", "type": "text"}, "N": {"type": "integer", "max": 290}},
        ends={"first": "Total"},
        skip_rows=[{"column": "K", "equals": "Sub"}],
    )
    table = reading.read_all()
    assert table.column_names == ["key", "N"]
    assert (table.num_rows, table["N"][-1].as_py()) == (287, 290)
    assert reading.rejects["reason"].unique().to_pylist() == ["above_maximum"]
    assert dict(reading.counts.left_out) == {"totals_row": 1, "after_end": 101, "skipped_row": 2}


def test_several_sheets_are_one_stream(tmp_path: Path) -> None:
    sheets = {name: sheet(plain) for name in ("North", "South")}
    reading = scan(sheetxml.write(tmp_path / "sales.xlsx", sheets), columns=COLUMNS, sheet="*")
    assert reading.read_all().num_rows == 2 * 360
    assert reading.rejects["sheet"].unique().to_pylist() == ["North", "South"]


def test_what_a_scan_returns_is_a_reader_of_pyarrow(workbook: Path) -> None:
    reading = scan(workbook, columns=COLUMNS)
    assert isinstance(reading, pa.RecordBatchReader)
    assert reading.schema == pa.schema([("K", pa.string()), ("N", pa.decimal128(12, 2))])
    first = reading.read_next_batch()
    assert first["N"][0].as_py() == Decimal("2.50")
    assert reading.counts.source < ROWS  # the rest is read when it is asked for
    assert first.num_rows + pa.table(reading).num_rows == 360


def test_a_scan_brings_along_neither_a_database_nor_airflow(workbook: Path) -> None:
    program = (
        "import sys, factload\n"
        f"rows = factload.scan({str(workbook)!r}, columns={COLUMNS!r}).read_all().num_rows\n"
        "print(rows, sorted({'sqlalchemy', 'psycopg2', 'airflow'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "360 []\n"


def descriptors() -> set[str]:
    """What the files are that this process has open."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the folder itself
            found.add(str(descriptor.readlink()))
    return found


def children() -> list[str]:
    tasks = Path("/proc/self/task")
    return [pid for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


@pytest.mark.parametrize("end", ["close", "with", "drop"])
@pytest.mark.parametrize("begun", [True, False])
def test_a_scan_that_is_left_early_frees_the_file(end: str, begun: bool, workbook: Path) -> None:
    reading = scan(workbook, columns=COLUMNS)
    if begun:
        reading.read_next_batch()
    assert str(workbook) in descriptors()
    if end == "close":
        reading.close()
        reading.close()
    elif end == "with":
        with reading:
            pass
    else:
        del reading
    assert str(workbook) not in descriptors()


def test_a_scan_that_is_closed_early_ends_the_process_that_reads(tmp_path: Path) -> None:
    rows = [row(text("K"), text("N")), *(row(text(f"k{n}"), number(str(n))) for n in range(3_000))]
    before = children()
    reading = scan(ods(tmp_path / "sales.ods", "".join(rows)), columns=COLUMNS)
    assert reading.read_next_batch().num_rows
    reading.close()
    assert children() == before
    with pytest.raises(FeedError, match="was closed before its end"):
        reading.read_next_batch()


def test_a_stream_is_read_once(workbook: Path) -> None:
    reading = scan(workbook, columns=COLUMNS)
    reading.read_all()
    for again in (reading.read_all, lambda: list(reading), lambda: pa.table(reading)):
        with pytest.raises(FeedError, match="was read to its end"):
            again()
    shared = scan(workbook, columns=COLUMNS)
    one = pa.RecordBatchReader.from_stream(shared)
    one.read_next_batch()
    with pytest.raises(FeedError, match="reads from this scan already"):
        pa.RecordBatchReader.from_stream(shared)


def broken(path: Path) -> Path:
    """A sheet whose last row but one is there twice."""
    return sheetxml.write(path, sheet(lambda n: plain(ROWS - 1 if n == ROWS else n)))


def test_an_error_half_way_is_raised_again_so_that_nobody_takes_what_came_for_all(tmp_path: Path) -> None:
    reading = scan(broken(tmp_path / "sales.xlsx"), columns=COLUMNS)
    with pytest.raises(WorkbookError) as caught:
        for _ in reading:
            pass
    assert caught.value.code == "duplicate_row"
    with pytest.raises(WorkbookError):
        reading.read_next_batch()
    assert str(tmp_path / "sales.xlsx") not in descriptors()


def test_who_wraps_the_error_does_not_hide_it_from_the_with(tmp_path: Path) -> None:
    with (
        pytest.raises(WorkbookError) as caught,
        scan(broken(tmp_path / "sales.xlsx"), columns=COLUMNS) as reading,
    ):
        pa.RecordBatchReader.from_stream(
            reading
        ).read_all()  # an error of pyarrow's, as other programs raise theirs
    assert "\n" not in str(caught.value)


def test_a_file_that_is_written_to_meanwhile_is_refused(workbook: Path) -> None:
    reading = scan(workbook, columns=COLUMNS)
    reading.read_next_batch()
    os.utime(workbook, (1, 1))
    with pytest.raises(WorkbookError) as caught:
        reading.read_all()
    assert caught.value.code == "workbook_changed"


def test_an_interruption_is_no_end(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> Iterator[Any]:
        raise KeyboardInterrupt

    reading = scan(workbook, columns=COLUMNS)
    reading.read_next_batch()
    monkeypatch.setattr(batches, "_counted", stop)
    with pytest.raises(KeyboardInterrupt):
        reading.read_all()
    with pytest.raises(FactloadError) as caught:
        reading.read_next_batch()
    assert caught.value.code == "interrupted"


WRONG = [
    ({"columns": {}}, "`columns` doesn't map names to types"),
    ({"columns": {"K": 1}}, "`columns['K']` is neither a type nor a mapping"),
    ({"columns": {"K": "string"}}, "did you mean text or varchar(40)?"),
    ({"columns": {"K": {"typ": "text"}}}, "`columns['K'].typ` is not a field here. Did you mean type?"),
    ({"columns": {"K": {"type": "text", "unique": True}}}, "`columns['K']` is not read of one row alone"),
    ({"columns": {"K": {"dimension": "shop"}}}, "here it has dimension and column"),
    ({"table": "T", "sheet": "S"}, "`table` goes without `sheet`"),
    ({"sheet": -1}, "`sheet` expected a sheet's name"),
    ({"ends": "nowhere"}, "`ends` expected"),
    ({"path": "s3://bucket/sales.xlsx"}, "`path` is a URL"),
    ({"path": 7}, "`path` is neither a text nor a path"),
]


@pytest.mark.parametrize(("wrong", "told"), WRONG, ids=[told for _, told in WRONG])
def test_a_wrong_argument_is_told_in_one_line(wrong: dict[str, Any], told: str, workbook: Path) -> None:
    arguments = {"path": workbook, "columns": COLUMNS, **wrong}
    with pytest.raises(FeedError) as caught:
        scan(arguments.pop("path"), **arguments)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("none.xlsx", "workbook_missing"),
        (".", "workbook_missing"),
        ("a\0b", "workbook_missing"),
        ("pipe", "workbook_missing"),
    ],
)
def test_a_file_that_is_none_is_told_before_anything_is_read(name: str, code: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WorkbookError) as caught:
        scan(tmp_path / name, columns=COLUMNS)
    assert caught.value.code == code


def test_columns_and_sheets_that_are_not_there_are_told_before_anything_is_read(workbook: Path) -> None:
    with pytest.raises(WorkbookError, match="has no column 'M'"):
        scan(workbook, columns={"M": "text"})
    with pytest.raises(WorkbookError, match="has no sheet 'Fact'"):
        scan(workbook, columns=COLUMNS, sheet="Fact")
    assert str(workbook) not in descriptors()
