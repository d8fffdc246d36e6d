"""A workbook that comes in by upload has its place whole or not at all, and takes no other's without being told."""

from __future__ import annotations

import io
import os
import tempfile
import time
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from factload.errors import FactloadError, FeedError, WorkbookError
from factload.feed.file import read_feed_file
from factload.feed.model import Feed
from factload.split.incoming import received_at
from factload.split.incoming.place import place_of, place_of_corrected, plain_name, there_at
from factload.split.sources import find_workbooks
from tests.feeds import SALES, changed

PERIOD = date(2026, 11, 5)
MOST = 1 << 20


def an_archive() -> bytes:
    """A zip archive that is no workbook."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return data.getvalue()


def feed(path: str = "inbox/sales_{period}.xlsx") -> Feed:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sales.yaml"
        file.write_text(changed(SALES, {"workbook.path": path}), encoding="utf-8")
        return read_feed_file(file)


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sent") / "any.xlsx"
    openpyxl.Workbook().save(path)
    return path.read_bytes()


def put(of: Feed, data: bytes, name: str = "mine.xlsx", over: str = "") -> str:
    with received_at(place_of(of, PERIOD, name), MOST) as incoming:
        for start in range(0, len(data), 1_000):
            incoming.write(data[start : start + 1_000])
        return incoming.put(of, over).sha256


def inside(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def refused(kind: type[FactloadError], of: Feed, data: bytes, name: str = "mine.xlsx", over: str = "") -> str:
    with pytest.raises(kind) as error:
        put(of, data, name, over)
    return error.value.code


def test_it_has_the_name_that_the_feed_looks_for_whatever_the_sender_calls_it(
    home: Path, workbook: bytes
) -> None:
    put(feed(), workbook, "../../etc/passwd")
    assert inside(home) == ["inbox/sales_2026-11-05.xlsx"]
    assert (home / "inbox/sales_2026-11-05.xlsx").read_bytes() == workbook


def test_another_is_replaced_by_whoever_says_which_alone(home: Path, workbook: bytes) -> None:
    first = put(feed(), workbook)
    assert refused(WorkbookError, feed(), workbook + b"\0") == "workbook_there"
    assert refused(WorkbookError, feed(), workbook + b"\0", over="0" * 64) == "workbook_there"
    there = there_at(place_of(feed(), PERIOD, ""))
    assert there is not None
    assert (there.sha256, there.bytes) == (first, len(workbook))
    put(feed(), workbook + b"\0", over=first)
    assert (home / "inbox/sales_2026-11-05.xlsx").read_bytes() == workbook + b"\0"
    assert inside(home) == ["inbox/sales_2026-11-05.xlsx"]


@pytest.mark.parametrize(
    "data", [b"", b"business_key,metric\nA1,1\n", b"%PDF-1.7", b"PK\x03\x04 broken", an_archive()]
)
def test_what_is_no_workbook_leaves_nothing(home: Path, data: bytes) -> None:
    assert refused(WorkbookError, feed(), data).startswith("workbook_")
    assert inside(home) == []


def test_what_breaks_off_or_is_too_long_leaves_nothing(home: Path, workbook: bytes) -> None:
    assert refused(WorkbookError, feed(), bytes(MOST + 1)) == "workbook_too_long"
    with pytest.raises(ConnectionError), received_at(place_of(feed(), PERIOD, ""), MOST) as incoming:
        incoming.write(workbook)
        assert find_half(home) == []
        raise ConnectionError
    assert inside(home) == []


def test_the_next_upload_sweeps_what_a_killed_one_left_a_day_ago(home: Path, workbook: bytes) -> None:
    left, fresh, of_others = ".0123456789abcdef.part", ".fedcba9876543210.part", ".sales.part"
    for name in (left, fresh, of_others):
        (home / "inbox" / name).write_bytes(b"PK")
    for name in (left, of_others):
        os.utime(home / "inbox" / name, (time.time() - 90_000,) * 2)
    put(feed(), workbook)
    assert inside(home) == sorted(f"inbox/{name}" for name in (fresh, of_others, "sales_2026-11-05.xlsx"))


def find_half(home: Path) -> list[str]:
    """What a feed that reads all of the folder finds while a workbook comes in."""
    assert len(inside(home)) == 1
    try:
        return find_workbooks("inbox/*")
    except WorkbookError:
        return []


def test_a_feed_of_many_takes_names_that_its_pattern_means(home: Path, workbook: bytes) -> None:
    many = feed("inbox/{period}/*.xlsx")
    put(many, workbook, "C:\\reports\\north.xlsx")
    assert inside(home) == ["inbox/2026-11-05/north.xlsx"]
    assert refused(WorkbookError, many, workbook, "north.csv") == "workbook_name"
    for name in (
        "",
        ".hidden.xlsx",
        "~$north.xlsx",
        "a*.xlsx",
        "x" * 201,
        "a\nb.xlsx",
        "half.part",
        "..",
        "a/",
    ):
        assert refused(WorkbookError, many, workbook, name) == "workbook_name", name


def test_where_no_one_folder_is_meant_it_is_said(home: Path, workbook: bytes) -> None:
    assert refused(FeedError, feed("inbox/*/{period}.xlsx"), workbook) == "upload_unfit"
    assert refused(FeedError, feed("https://reports.example/{period}.xlsx"), workbook) == "upload_unfit"


def test_no_place_outside_the_allowed_roots_is_written_to(
    home: Path, workbook: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert refused(WorkbookError, feed(f"{elsewhere}/{{period}}.xlsx"), workbook) == "workbook_not_allowed"
    assert refused(WorkbookError, feed("inbox/../sales_{period}.xlsx"), workbook) == "workbook_not_allowed"
    (home / "inbox/link").symlink_to(elsewhere)
    assert refused(WorkbookError, feed("inbox/link/{period}.xlsx"), workbook) == "workbook_not_allowed"
    place = place_of(feed("inbox/later/{period}.xlsx"), PERIOD, "")
    (home / "inbox/later").symlink_to(elsewhere)  # between the look and the writing
    with pytest.raises(FeedError, match="can't put a file at"), received_at(place, MOST):
        pass
    assert list(elsewhere.iterdir()) == []


def test_a_corrected_workbook_lies_where_no_pattern_finds_it(home: Path, workbook: bytes) -> None:
    of = feed("inbox/*.xlsx")
    place = place_of_corrected(of, PERIOD, "rejects.ods")
    with received_at(place, MOST) as incoming:
        incoming.write(workbook)
        incoming.put(of)
    assert place.path.startswith("inbox/.corrected/sales@2026-11-05-")
    assert place.path.endswith(".ods")
    assert find_workbooks(place.path) == [place.path]
    for pattern in ("inbox/*.xlsx", "inbox/**/*", "inbox/*/*"):
        with pytest.raises(WorkbookError, match="no workbook matches"):
            find_workbooks(pattern)


def test_a_folder_that_is_not_there_for_the_server_is_said(home: Path, workbook: bytes) -> None:
    (home / "inbox").rmdir()
    assert refused(FeedError, feed(), workbook) == "upload_unwritable"


def test_a_plain_name_stays_as_it_is() -> None:
    assert plain_name("Umsätze November (2).xlsx") == "Umsätze November (2).xlsx"
