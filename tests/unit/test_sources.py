"""Which workbooks a name or a pattern means, what they are known by, and that they stay the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import fsspec
import pytest

from factload.errors import WorkbookError
from factload.load import sha256_of_sources
from factload.split.sources import find_workbooks, openable, read_sources, require_unchanged


@pytest.fixture
def home(home: Path) -> Path:
    for name in (
        "inbox/2026/b.xlsx", "inbox/2026/a.xlsx", "inbox/2026/deep/c.xlsx", "inbox/2026/[draft] d.xlsx",
        "inbox/2026/~$a.xlsx", "inbox/2026/.~lock.a.xlsx#", "inbox/2026/e.xlsx.part", "inbox/2026/.old/f.xlsx",
        "inbox/2027/a.xlsx", "elsewhere/z.xlsx",
    ):  # fmt: skip
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (home / "inbox/2026/folder.xlsx").mkdir()
    return home


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("inbox/2026/a.xlsx", ["a.xlsx"]),
        ("inbox/2026/[draft] d.xlsx", ["[draft] d.xlsx"]),
        ("inbox/2026/*.xlsx", ["[draft] d.xlsx", "a.xlsx", "b.xlsx"]),
        ("inbox/2026/[ab].xlsx", ["a.xlsx", "b.xlsx"]),
        ("inbox/2026/*", ["[draft] d.xlsx", "a.xlsx", "b.xlsx"]),
        ("inbox/2026/**/*.xlsx", ["[draft] d.xlsx", "a.xlsx", "b.xlsx", "deep/c.xlsx"]),
    ],
)
def test_a_name_or_a_pattern_in_the_order_of_names(home: Path, name: str, found: list[str]) -> None:
    for given in (name, str(home / name)):
        assert [s.path for s in read_sources(given)] == [f"inbox/2026/{one}" for one in found]


@pytest.mark.parametrize(
    "name",
    ["*/z.xlsx", "elsewhere/*.xlsx", "/etc/host*", "inbox/*/../../elsewhere/*.xlsx", "inbox/2026/link*.xlsx"],
)
def test_no_pattern_leads_out_of_the_allowed_roots(home: Path, name: str) -> None:
    (home / "inbox/2026/link.xlsx").symlink_to(home / "elsewhere/z.xlsx")
    with pytest.raises(WorkbookError, match="outside the allowed roots") as caught:
        read_sources(name)
    assert caught.value.code == "workbook_not_allowed"


def test_relative_paths_may_start_in_a_store_and_lead_nowhere_else(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTLOAD_WORKBOOKS", "memory://bucket/")
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", "inbox,memory://bucket/inbox")
    store = fsspec.filesystem("memory")
    for name in ("inbox/a.xlsx", "inbox/b.xlsx", "elsewhere/z.xlsx"):
        store.pipe_file(f"/bucket/{name}", name.encode())
    both = ["memory://bucket/inbox/a.xlsx", "memory://bucket/inbox/b.xlsx"]
    assert find_workbooks("inbox/*.xlsx") == both
    assert find_workbooks("./inbox/a.xlsx") == find_workbooks("memory://bucket/inbox/a.xlsx") == both[:1]
    assert find_workbooks(str(home / "inbox/2027/a.xlsx")) == ["inbox/2027/a.xlsx"]
    for name in ("elsewhere/z.xlsx", "inbox/../elsewhere/z.xlsx", "*/z.xlsx"):
        with pytest.raises(WorkbookError) as caught:
            find_workbooks(name)
        assert caught.value.code == "workbook_not_allowed"


@pytest.mark.parametrize("name", ["inbox/2026/x*.xlsx", "inbox/2028/*.xlsx", "inbox/2026/~$*.xlsx"])
def test_nothing_matches(home: Path, name: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        read_sources(name)
    assert caught.value.code == "workbook_missing"
    assert f"no workbook matches {home / name}" in str(caught.value)


def test_copies_are_refused_by_name(home: Path) -> None:
    (home / "inbox/2026/copy of a.xlsx").write_bytes((home / "inbox/2026/a.xlsx").read_bytes())
    with pytest.raises(WorkbookError) as caught:
        read_sources("inbox/2026/*a.xlsx")
    assert caught.value.code == "workbook_twice"
    assert "inbox/2026/a.xlsx and inbox/2026/copy of a.xlsx are the same workbook" in str(caught.value)


def test_a_name_that_can_not_be_printed(home: Path) -> None:
    (home / "inbox/2026/new\nline.xlsx").write_text("x")
    with pytest.raises(WorkbookError) as caught:
        read_sources("inbox/2026/new*.xlsx")
    assert caught.value.code == "workbook_name"


def test_one_workbook_is_known_by_its_bytes_several_by_names_and_bytes(home: Path) -> None:
    [one] = read_sources("inbox/2026/a.xlsx")
    assert sha256_of_sources([one]) == one.sha256 == hashlib.sha256(b"inbox/2026/a.xlsx").hexdigest()
    assert one.bytes == 17
    before = sha256_of_sources(read_sources("inbox/2026/[ab].xlsx"))
    assert before == sha256_of_sources(read_sources("inbox/2026/[ab].xlsx")) != one.sha256
    (home / "inbox/2026/b.xlsx").rename(home / "inbox/2026/c.xlsx")
    renamed = sha256_of_sources(read_sources("inbox/2026/[ac].xlsx"))
    (home / "inbox/2026/c.xlsx").write_text("other bytes")
    assert len({before, renamed, sha256_of_sources(read_sources("inbox/2026/[ac].xlsx"))}) == 3


def test_a_workbook_that_changed_or_went_is_named(home: Path) -> None:
    [source] = read_sources("inbox/2026/a.xlsx")
    require_unchanged(source)
    Path(str(openable(source))).write_text("other bytes")
    with pytest.raises(
        WorkbookError, match=r"inbox/2026/a.xlsx was overwritten.*Run the load again"
    ) as caught:
        require_unchanged(source)
    assert (caught.value.code, caught.value.retry) == ("workbook_changed", False)
    Path(str(openable(source))).unlink()
    with pytest.raises(WorkbookError, match="was removed"):
        require_unchanged(source)
