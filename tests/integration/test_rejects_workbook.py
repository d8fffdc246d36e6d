"""`factload rejects LOAD --xlsx F`: what goes back to the people who can correct it."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from factload.errors import WorkbookError
from tests.integration.commands import factload
from tests.integration.place import Place
from tests.workbooks import first_sheet, write_rows

LOAD = "sales@2026-11-05"
PERIOD = ("--period", "2026-11-05")
ADDED = (
    *("factload workbook", "factload sheet", "factload row", "factload reason", "what it means"),
    *("factload load", "factload delivery", "factload digest"),
)


def wide_workbook(place: Place, *rows: tuple[Any, ...], name: str = "sales_2026-11-05") -> Path:
    header = ("sold", "business_key", "metric", "remark", "ok")
    return write_rows(place.home / f"inbox/{name}.xlsx", [("Report of the day",), header, *rows])


def returned(place: Place, *, note: str = "") -> list[tuple[Any, ...]]:
    """The first sheet of the workbook that the command writes."""
    target = place.home / "rejects.xlsx"
    result = factload("rejects", LOAD, "--xlsx", str(target))
    assert result.returncode == 0, result.stderr
    assert note in result.stderr
    return list(first_sheet(openpyxl.load_workbook(target)).iter_rows())


def test_the_sheet_s_own_columns_come_back_with_the_cell_marked(place: Place) -> None:
    day = date(2026, 11, 4)
    wide_workbook(
        place,
        (day, "A1", 1, "fine", True),
        (day, "nobody", 2.5, "=HYPERLINK(0)", False),
        (None, "A1", "n/a", "@b", None),
        (day, 123, None, "-c", True),
    )
    assert factload("run", "sales", *PERIOD).returncode == 0
    header, *rows = returned(place)
    assert [cell.value for cell in header] == ["sold", "business_key", "metric", "remark", "ok", *ADDED]
    file = "inbox/sales_2026-11-05.xlsx"
    no_member, not_a_number = "No member of the dimension has this key", "The cell doesn't hold a number"
    blank = "The column is required and the cell is blank"
    assert [[cell.value for cell in row[:-3]] for row in rows] == [
        [
            datetime(2026, 11, 4),
            "nobody",
            2.5,
            "=HYPERLINK(0)",
            False,
            file,
            "Facts",
            4,
            "unmatched_key",
            no_member,
        ],
        [None, "A1", "n/a", "@b", None, file, "Facts", 5, "not_a_number", not_a_number],
        [datetime(2026, 11, 4), 123, None, "-c", True, file, "Facts", 6, "blank_value", blank],
    ]
    assert {row[-3].value for row in rows} == {LOAD}
    assert len({row[-2].value for row in rows}) == 1
    assert len({row[-1].value for row in rows}) == 3
    marked = [[cell.column_letter for cell in row if cell.fill.fill_type] for row in rows]
    assert marked == [["B"], ["C"], ["C"]]
    assert rows[0][1].comment.text == no_member


def test_what_looks_like_a_formula_is_text(place: Place) -> None:
    wide_workbook(
        place, (None, "=1+1", 1, "x", None), (None, "+cmd()", 1, "=x", None), (None, "@a", 1, "-x", None)
    )
    place.feed_file({"max_rejects": "100%"})
    assert factload("run", "sales", *PERIOD).returncode == 0
    rows = returned(place)[1:]
    texts = [cell for row in rows for cell in (row[1], row[3]) if cell.value]
    assert {cell.data_type for cell in texts} == {"s"}
    assert "+cmd()" in [cell.value for cell in texts]


def test_a_workbook_that_has_changed_leaves_what_the_ledger_has_and_says_so(place: Place) -> None:
    wide_workbook(place, (None, "A1", 1, "x", None), (None, "nobody", 2, "y", None))
    assert factload("run", "sales", *PERIOD).returncode == 0
    listed = "sheet Facts is a list of what the ledger has, which can't be replayed"
    path = "inbox/sales_{period}.xlsx"
    place.feed_file({"workbook.path": [{"from": date(2027, 1, 1), "path": path}]})  # of later periods alone
    before = returned(place, note=f"{listed}: the feed sales does not say `workbook.path` for {PERIOD[1]}")
    place.feed_file()
    (place.home / "rejects.xlsx").unlink()
    wide_workbook(place, (None, "other", 1, "x", None))
    header, row = returned(place, note=listed)
    assert [[cell.value for cell in one][:9] for one in before] == [
        [cell.value for cell in one][:9] for one in (header, row)
    ]
    assert [cell.value for cell in header][:6] == ["workbook", "sheet", "row", "cell", "column", "value"]
    assert [cell.value for cell in row][2:7] == [4, "Facts!B4", "business_key", "nobody", "unmatched_key"]


def test_without_rejects_the_workbook_is_empty(place: Place) -> None:
    place.workbook([("A1", 1)])
    assert factload("run", "sales", *PERIOD).returncode == 0
    assert [[cell.value for cell in row] for row in returned(place)] in ([], [[None]])


def test_the_command_writes_a_new_file_alone(place: Place) -> None:
    wide_workbook(place, (None, "A1", 1, "x", None), (None, "nobody", 2, "y", None))
    assert factload("run", "sales", *PERIOD).returncode == 0
    somebody_s = place.home / "rejects.xlsx"
    somebody_s.write_bytes(b"half corrected")
    for target, seen in (
        (somebody_s, "rejects.xlsx is there already. Expected: a new file"),
        (place.home / "inbox", "can't be written (it is a folder)"),
        (place.home / "missing/r.xlsx", "can't be written (No such file or directory)"),
        (somebody_s / "r.xlsx", "can't be written (Not a directory)"),
    ):
        result = factload("rejects", LOAD, "--xlsx", str(target))
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert seen in result.stderr
    assert somebody_s.read_bytes() == b"half corrected"
    assert sorted(path.name for path in place.home.glob("*.xlsx")) == ["rejects.xlsx"]


def test_with_json_the_command_prints_json_alone(place: Place) -> None:
    wide_workbook(place, (None, "A1", 1, "x", None), (None, "nobody", 2, "y", None))
    assert factload("run", "sales", *PERIOD).returncode == 0
    target = str(place.home / "rejects.xlsx")
    result = factload("rejects", LOAD, "--xlsx", target, "--json")
    assert json.loads(result.stdout) == {"workbook": target, "rows": 1, "notes": []}
    assert result.stderr == ""


def test_a_corrected_workbook_may_lie_anywhere_for_who_types_the_command(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wide_workbook(place, (None, "A1", 1, "x", None), (None, "nobody", 2, "y", None))
    assert factload("run", "sales", *PERIOD).returncode == 0
    target = tmp_path_factory.mktemp("a desk") / "rejects.xlsx"
    assert factload("rejects", LOAD, "--xlsx", str(target)).returncode == 0
    workbook = openpyxl.load_workbook(target)
    first_sheet(workbook)["B2"].value = "B2"
    workbook.save(target)
    with pytest.raises(WorkbookError, match="outside the allowed roots"):  # as a run in Airflow names it
        place.replay(place.feed(), str(target))
    result = factload("replay", LOAD, "--workbook", str(target))
    assert result.returncode == 0, result.stderr
    assert place.facts() == [(1, "1.0000", LOAD), (2, "2.0000", LOAD)]
    gone = factload("replay", LOAD, "--workbook", str(target.with_name("gone.xlsx")))
    assert (gone.returncode, "there is no workbook" in gone.stderr) == (3, True)
