"""Many sheets of many workbooks: which are read, how their partitions are called, and how many there may be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from factload.errors import WorkbookError
from factload.load import Split
from factload.split import all_workbooks
from factload.split.sources import read_sources
from factload.staging.files import open_table
from factload.staging.folder import FolderPlace
from tests import expected
from tests.workbooks import first_sheet

FIELDS = [expected.field("k", "text", key=True), expected.field("m", "integer")]
HEADER = ("k", "m")
Sheets = Mapping[str, list[tuple[Any, ...]]]


def rows(count: int, key: str = "a") -> list[tuple[Any, ...]]:
    return [HEADER, *((key, number) for number in range(count))]


def write(home: Path, name: str, sheets: Sheets, hidden: Mapping[str, str] | None = None) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(first_sheet(workbook))
    for title, found in sheets.items():
        sheet = workbook.create_sheet(title)
        sheet.sheet_state = (hidden or {}).get(title, "visible")
        for row in found:
            sheet.append(row)
    path = home / "inbox" / name
    workbook.save(path)
    return path


def done(home: Path, name: str = "*.xlsx", sheet: Any = "*", **options: Any) -> Split:
    options = {"rows_per_partition": 1000, **options}
    return all_workbooks.split_sources(
        read_sources(f"inbox/{name}"),
        sheet=sheet,
        fields=FIELDS,
        place=FolderPlace(home / "staging"),
        **options,
    )


def read(found: Split) -> list[tuple[str, str]]:
    return [(p.workbook.removeprefix("inbox/"), p.sheet) for p in found.partitions]


def refusal(home: Path, **options: Any) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        done(home, **options)
    return caught.value


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("*", ["North", "South", "East"]),
        (("South", "North"), ["South", "North"]),
        ((0, "east"), ["North", "East"]),
        (" north ", ["North"]),
        ("Secret", ["Secret"]),
        ("Deep", ["Deep"]),
        (("Secret", 2), ["Secret", "South"]),
    ],
)
def test_the_chosen_sheets_in_their_order(home: Path, choice: Any, names: list[str]) -> None:
    sheets = {name: rows(2, name) for name in ("North", "Secret", "South", "Deep", "East")}
    write(home, "w.xlsx", sheets, {"Secret": "hidden", "Deep": "veryHidden"})
    found = done(home, sheet=choice)
    assert [p.sheet for p in found.partitions] == names
    assert [p.label for p in found.partitions] == [f"{name} 2–3" for name in names]
    tables = [open_table(p.path, p.sha256) for p in found.partitions]
    assert [set(table["k"].to_pylist()) for table in tables] == [{name} for name in names]


@pytest.mark.parametrize(
    ("choice", "codes", "words"),
    [
        ("West", ["sheet_missing"], "no sheet 'West'; it has 'North', 'Secret' (hidden)"),
        (7, ["sheet_missing"], "no sheet 7; it has 'North'"),
        (1, ["sheet_hidden"], "Sheet 1 is 'Secret', which is hidden"),
        (("North", "West", 1), ["sheet_missing", "sheet_hidden"], "2 defects: (1) The workbook has no sheet 'West'"),
        (("North", 0), ["sheet_twice"], "names sheet 'North' twice, the second time as 0"),
    ],
)  # fmt: skip
def test_a_choice_that_can_not_be_read(home: Path, choice: Any, codes: list[str], words: str) -> None:
    write(home, "w.xlsx", {"North": rows(1), "Secret": rows(1)}, {"Secret": "hidden"})
    error = refusal(home, sheet=choice)
    assert [part.code for part in error.parts] == codes
    assert words in str(error)


def test_every_sheet_leaves_out_empty_ones_and_no_others(home: Path) -> None:
    write(home, "w.xlsx", {"Facts": rows(1), "Sheet2": [], "Sheet3": []})
    found = done(home)
    assert read(found) == [("w.xlsx", "Facts")]
    assert found.warnings == ("sheet Sheet2 is empty: left out", "sheet Sheet3 is empty: left out")
    write(home, "w.xlsx", {"Facts": rows(1), "Notes": [*[()] * 60, ("a remark",)]})
    assert refusal(home).code == "header_missing"


def test_columns_are_placed_in_each_sheet_anew(home: Path) -> None:
    write(
        home,
        "w.xlsx",
        {"A": [("k", "m"), ("x", "bad")], "B": [("m", "other", "k"), (5, 0, "y"), ("bad", 0, "z")]},
    )
    tables = [open_table(p.path, p.sha256).to_pylist() for p in done(home).partitions]
    assert [(r["k"], r["m"], r["cell"]) for table in tables for r in table] == [
        ("x", None, "B2"), ("y", 5, None), ("z", None, "A3"),
    ]  # fmt: skip


def test_workbooks_in_the_order_of_their_names_are_named_on_labels(home: Path) -> None:
    for name in ("b.xlsx", "a.xlsx"):
        write(home, name, {"Facts": rows(3, name)})
    seen: list[int] = []
    found = done(home, progress=seen.append)
    assert [p.label for p in found.partitions] == ["a.xlsx Facts 2–4", "b.xlsx Facts 2–4"]
    assert read(found) == [("a.xlsx", "Facts"), ("b.xlsx", "Facts")]
    assert len({p.partition_id for p in found.partitions}) == 2
    assert seen == [3, 6]


def test_a_partition_is_known_by_its_own_workbook(home: Path) -> None:
    write(home, "a.xlsx", {"Facts": rows(3)})
    [alone] = done(home).partitions
    write(home, "b.xlsx", {"Facts": rows(4)})
    first, _ = done(home).partitions
    assert first.partition_id == alone.partition_id


def test_workbooks_of_one_name_in_two_folders_are_named_by_their_paths(home: Path) -> None:
    for place in ("north", "south"):
        (home / "inbox" / place).mkdir()
        write(home, f"{place}/sales.xlsx", {"Facts": rows(1, place)})
    labels = [p.label for p in done(home, "*/sales.xlsx").partitions]
    assert labels == ["inbox/north/sales.xlsx Facts 2–2", "inbox/south/sales.xlsx Facts 2–2"]


def test_an_error_names_the_workbook_among_several(home: Path) -> None:
    write(home, "a.xlsx", {"Facts": rows(1)})
    write(home, "b.xlsx", {"Facts": [("k", "k", "n"), ("x", "y", 1)]})
    error = refusal(home)
    assert [part.code for part in error.parts] == ["header_missing", "header_duplicate"]
    assert all(part.seen.startswith("b.xlsx: Sheet 'Facts' has") for part in error.parts)


def test_the_bound_of_partitions_is_over_all_sheets_together(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_workbooks, "MAX_PARTITIONS", 6)
    write(home, "a.xlsx", {"One": rows(40), "Two": rows(40, "b")})
    write(home, "b.xlsx", {"Three": rows(40, "c")})
    found = done(home, rows_per_partition=10)
    assert [(p.sheet, p.source) for p in found.partitions] == [("One", 40), ("Two", 40), ("Three", 40)]
    assert found.warnings == ("partitions hold 40 rows instead of 10: there would be more than 6 otherwise",)
    assert done(home, rows_per_partition=20).warnings == ()
    assert len(done(home, rows_per_partition=20).partitions) == 6


def test_more_sheets_than_partitions_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_workbooks, "MAX_PARTITIONS", 2)
    write(home, "a.xlsx", {name: rows(1, name) for name in ("One", "Two", "Three")})
    assert refusal(home).code == "sheets_too_many"


@pytest.mark.parametrize(
    ("merged", "beside", "refused"),
    [
        ("B2:C2", 2, True),
        ("B2:C2", None, False),
        ("A1:C1", 2, False),
        ("B2:B3", 2, False),
        ("D2:E2", 2, False),
    ],
)
def test_a_mapped_header_merged_across_columns_with_values_is_refused(
    home: Path, merged: str, beside: int | None, refused: bool
) -> None:
    workbook = openpyxl.Workbook()
    for row in (("a title",), HEADER, ("x", 1, beside)):
        first_sheet(workbook).append(row)
    first_sheet(workbook).merge_cells(merged)
    workbook.save(home / "inbox/w.xlsx")
    if not refused:
        assert done(home).source == 1
        return
    error = refusal(home)
    assert (error.code, merged in error.seen, "'m'" in error.seen) == ("header_merged", True, True)


def test_a_sheet_of_exactly_65536_rows_is_warned_of(home: Path) -> None:
    last = 65_536
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Facts")
    sheet.append(HEADER)
    for number in range(last - 1):
        sheet.append(("a", number))
    workbook.save(home / "inbox/w.xlsx")
    found = done(home, rows_per_partition=100_000)
    assert found.warnings == (
        f"sheet Facts has exactly {last:,} rows: probably cut off by the tool that wrote it",
    )


@pytest.mark.parametrize("change", ["overwritten", "removed"])
def test_a_workbook_that_changes_while_it_is_read_ends_the_load(home: Path, change: str) -> None:
    first = write(home, "a.xlsx", {"One": rows(5), "Two": rows(5)})
    other = write(home, "other.xls", {"One": rows(6), "Two": rows(5)})

    def overwrite(_: int) -> None:
        if change == "removed":
            first.unlink(missing_ok=True)
        elif other.exists():
            other.replace(first)

    error = refusal(home, progress=overwrite)
    assert error.code == "workbook_changed"
    assert f"inbox/a.xlsx was {change} while it was read" in error.seen
    assert "Run the load again" in error.remedy


def test_a_workbook_cut_short_while_it_is_read_is_called_changed_not_damaged(home: Path) -> None:
    path = write(home, "a.xlsx", {"Facts": rows(10)})
    sources = read_sources("inbox/a.xlsx")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WorkbookError) as caught:
        all_workbooks.split_sources(
            sources, sheet=0, fields=FIELDS, place=FolderPlace(home / "staging"), rows_per_partition=1000
        )
    assert caught.value.code == "workbook_changed"
