"""A workbook's path: whatever it is, a file below the allowed roots is read, or an error with a name comes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import xlwt

from factload.errors import WorkbookError
from factload.sheet.source import open_source
from factload.sheet.workbook_file import opened
from factload.split import allowed
from factload.split.allowed import AllowedFile, workbook_path
from factload.split.sources import find_workbooks, openable, read_sources, stamps
from tests import expected, sheetxml

_NOBODY = 65_534
FIELDS = [expected.field("k", "text", key=True), expected.field("m", "numeric(18,4)")]


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", "inbox")
    (tmp_path / "secret.csv").write_text("Alice,123\n")
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def refusal(name: str) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        read_sources(name)
    for ask in (find_workbooks, stamps):
        with pytest.raises(WorkbookError):
            ask(name)
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        "inbox/" + "a" * 300 + ".xlsx",
        "inbox/" + "a" * 300 + "*.xlsx",
        "inbox/" + "folder/" * 1000 + "w.xlsx",
        "inbox/" + "folder/" * 1000 + "*.xlsx",
        "inbox/x\0.xlsx",
        "inbox/x\0*.xlsx",
        "inbox/circle/w.xlsx",
        "inbox/circle",
        "inbox/file.csv/w.xlsx",
        "inbox",
        "inbox/folder.xlsx",
        "inbox/pipe.csv",
        "inbox/socket.csv",
        "inbox/none.xlsx",
    ],
    ids=lambda name: ascii(name)[:40],
)
def test_a_path_without_a_file_is_a_missing_workbook(inbox: Path, name: str) -> None:
    (inbox / "circle").symlink_to("circle2")
    (inbox / "circle2").symlink_to("circle")
    (inbox / "file.csv").write_text("k,m\n")
    (inbox / "folder.xlsx").mkdir()
    os.mkfifo(inbox / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(inbox)  # a socket's path is short
        server.bind("socket.csv")
        os.chdir(here)
        error = refusal(name)
    assert error.code == "workbook_missing"
    assert "\0" not in str(error)


@contextmanager
def as_a_plain_user() -> Iterator[None]:
    """Root may read everything: for the length of a block this process has the rights of nobody."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_folder_that_may_not_be_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory(dir="/tmp") as home:  # pytest's own folders are closed to every other user
        folder = Path(home, "closed")
        folder.mkdir()
        (folder / "w.csv").write_text("k,m\n")
        folder.chmod(0)
        Path(home).chmod(0o755)
        monkeypatch.setenv("FACTLOAD_HOME", home)
        monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", ".")
        with as_a_plain_user():
            error = refusal("closed/w.csv")
        folder.chmod(0o700)
    assert error.code == "workbook_unreadable"


def test_links_below_the_roots_are_followed_and_others_are_refused(inbox: Path) -> None:
    (inbox / "there").mkdir()
    (inbox / "there" / "w.csv").write_text("k,m\nx,1\n")
    (inbox / "link.csv").symlink_to("there/w.csv")
    (inbox / "folder").symlink_to("there")
    for name in ("inbox/link.csv", "inbox/folder/w.csv", str(inbox / "there/w.csv")):
        [source] = read_sources(name)
        assert str(openable(source)) == str(inbox / "there" / "w.csv")
    (inbox / "out.csv").symlink_to("../secret.csv")
    (inbox / "up").symlink_to("..")
    for name in ("inbox/out.csv", "inbox/up/secret.csv", "inbox/*.csv"):
        assert refusal(name).code == "workbook_not_allowed"


def swapped(inbox: Path, what: str) -> None:
    """A workbook, or its folder, replaced by a link out of the inbox after it was found."""
    if what == "file":
        (inbox / "day" / "f.csv").unlink()
        (inbox / "day" / "f.csv").symlink_to(inbox.parent / "secret.csv")
        return
    (inbox / "day").rename(inbox / "before")
    (inbox.parent / "f.csv").write_text("Alice,123\n")
    (inbox / "day").symlink_to(inbox.parent if what == "folder" else Path(".."))


@pytest.mark.parametrize("what", ["file", "folder", "folder by a relative link"])
def test_a_file_that_became_a_link_after_it_was_allowed_is_not_read(inbox: Path, what: str) -> None:
    (inbox / "day").mkdir()
    (inbox / "day" / "f.csv").write_text("k,m\nx,1\n")
    found = workbook_path("inbox/day/f.csv")
    swapped(inbox, what)
    with pytest.raises(WorkbookError) as caught, open_source(found) as source:
        source.first_rows(source.sheets[0])
    assert caught.value.code == "workbook_missing"
    assert "Alice" not in str(caught.value)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_that_becomes_a_link_while_its_path_is_looked_at_is_not_read(
    inbox: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "day").mkdir()
    (inbox / "day" / "f.csv").write_text("k,m\nx,1\n")
    looked = allowed.require_allowed

    def then_swapped(name: str) -> Path:
        path = looked(name)
        swapped(inbox, what)
        return path

    monkeypatch.setattr(allowed, "require_allowed", then_swapped)
    with pytest.raises(WorkbookError):
        workbook_path("inbox/day/f.csv")


def xls(path: Path) -> None:
    sheet = (workbook := xlwt.Workbook()).add_sheet("Facts")
    for i, (name, value) in enumerate({"k": "x", "m": 1}.items()):
        sheet.write(0, i, name)
        sheet.write(1, i, value)
    workbook.save(str(path))


@pytest.mark.parametrize("ending", ["xlsx", "csv", "csv.gz", "xls"])
def test_a_workbook_is_read_as_it_was_opened_whatever_lies_at_its_path_by_then(
    inbox: Path, ending: str
) -> None:
    import gzip

    path = inbox / f"w.{ending}"
    rows = sheetxml.text_row(1, ["k", "m"]) + sheetxml.text_row(2, ["x", "1"])
    if ending == "xlsx":
        sheetxml.write(path, sheetxml.sheet(rows))
    elif ending == "xls":
        xls(path)
    else:
        data = b"k,m\nx,1\n"
        path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    with open_source(workbook_path(f"inbox/w.{ending}")) as source:
        path.unlink()
        path.symlink_to(inbox.parent / "secret.csv")
        [sheet] = source.sheets
        assert [text for _, text in source.first_rows(sheet)[0].cells.values()] == ["k", "m"]
        read = source.rows(sheet, FIELDS, 1)
        assert sum(piece.source for piece in read.pieces(1000)) == 1
        assert len(list(source.all_rows(sheet))) == 2


def test_streams_over_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(range(256)) * 1000)
    with opened(tmp_path / "f") as file:
        one, other = file.stream(), file.stream()
        assert one.read(300) == (bytes(range(256)) * 2)[:300]
        assert other.read(2) == b"\0\1"
        assert one.read(1) == bytes([300 - 256])
        one.seek(-1, os.SEEK_END)
        assert (one.read(), one.read(), one.tell()) == (b"\xff", b"", 256_000)
        del one
        assert len(other.read()) == 255_998


@pytest.mark.parametrize("name", ["w.xlsx", "w", "w." + "x" * 250, "w.csv"])
def test_an_xls_workbook_is_known_by_its_bytes_whatever_its_name(name: str, tmp_path: Path) -> None:
    xls(tmp_path / name)
    assert expected.split(tmp_path / name, FIELDS)[0].source == 1


def test_an_allowed_file_is_named_as_its_path(inbox: Path) -> None:
    file = AllowedFile(inbox, ("a", "b.csv"))
    assert (file.name, str(file)) == ("b.csv", str(inbox / "a/b.csv"))
