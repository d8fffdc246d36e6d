"""`factload check`: one run names everything that stands against a load, with addresses, and changes nothing."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from tests.integration.commands import check, report
from tests.integration.place import Place
from tests.workbooks import first_sheet

TABLE = """
CREATE TABLE fact_wide (
    dimension_id bigint NOT NULL, metric numeric(6,2) NOT NULL, pieces integer, sold date, note varchar(5),
    paid boolean, load_id text NOT NULL)
"""
CHANGES = {
    "fact.table": "fact_wide",
    "fact.columns": {
        "dimension_id": {"dimension": "product"},
        "metric": {"column": "metric", "type": "numeric(6,2)", "required": True},
        "pieces": {"column": "pieces", "type": "integer"},
        "sold": {"column": "sold", "type": "date"},
        "note": {"column": "note", "type": "varchar(5)"},
        "paid": {"column": "paid", "type": "boolean"},
    },
}
HEADER = ("business_key", "metric", "pieces", "sold", "note", "paid")
DAY = datetime(2026, 11, 5)
GOOD = ("A1", 1, 2, DAY, "fine", True)
DEFECTS: dict[str, tuple[tuple[Any, ...], str]] = {
    "blank_key": ((None, *GOOD[1:]), "A"),
    "unmatched_key": (("nobody", *GOOD[1:]), "A"),
    "key_too_long_number": ((1234567890123456, *GOOD[1:]), "A"),
    "blank_value": (("A1", None, *GOOD[2:]), "B"),
    "error_cell": (("A1", "#DIV/0!", *GOOD[2:]), "B"),
    "formula_without_value": (("A1", "=1+1", *GOOD[2:]), "B"),
    "not_a_number": (("A1", "n/a", *GOOD[2:]), "B"),
    "number_out_of_range": (("A1", 12345, *GOOD[2:]), "B"),
    "not_an_integer": (("A1", 1, 2.5, *GOOD[3:]), "C"),
    "not_a_date": (("A1", 1, 2, "yesterday", *GOOD[4:]), "D"),
    "text_too_long": (("A1", 1, 2, DAY, "far too long", True), "E"),
    "not_a_boolean": ((*GOOD[:5], "perhaps"), "F"),
}


@pytest.fixture
def wide(place: Place) -> Place:
    place.execute(TABLE)
    place.feed_file(CHANGES)
    return place


def write(place: Place, sheets: dict[str, list[tuple[Any, ...]]], name: str = "sales_2026-11-05.xlsx") -> Any:
    workbook = openpyxl.Workbook()
    workbook.remove(first_sheet(workbook))
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    workbook.save(place.home / "inbox" / name)
    return workbook


def test_a_workbook_with_twelve_defects_lists_all_twelve(wide: Place) -> None:
    write(wide, {"Facts": [HEADER, GOOD, *(row for row, _ in DEFECTS.values())]})
    status, found = report()
    assert (status, found["state"], found["error"]["code"]) == (3, "held", "too_many_rejects")
    assert found["rows"] == {"source": 13, "blank": 0, "rejected": 12, "staged": 1, "published": 0}
    assert found["rejects"] == dict.fromkeys(DEFECTS, 1)
    listed = {one["reason"]: (one["address"], one["column"]) for one in found["rejected"]}
    assert listed == {
        reason: (f"Facts!{letter}{number}", HEADER["ABCDEF".index(letter)])
        for number, (reason, (_, letter)) in enumerate(DEFECTS.items(), 3)
    }
    assert found["unmatched"] == {"product": {"rows": 1, "keys": 1}}
    assert "nobody" not in json.dumps(found)

    _, shown, said = check()
    for reason, (_, letter) in DEFECTS.items():
        assert reason in shown
        assert f"Facts!{letter}" in shown
    assert "The cell doesn't hold a number" in shown
    assert "no member in product  1 rows, 1 keys" in shown
    assert "far too long" in shown
    assert len(said.splitlines()) == 1
    assert wide.rows("SELECT 1 FROM pg_namespace WHERE nspname LIKE 'factload%'") == []


def test_what_is_wrong_with_tables_sheets_headers_and_rows_comes_together(wide: Place) -> None:
    wide.execute("ALTER TABLE fact_wide DROP COLUMN paid, ALTER note TYPE varchar(3), ADD extra int NOT NULL")
    wide.feed_file({**CHANGES, "workbook.sheet": ["North", "East", "South", "West"]})
    workbook = write(
        wide,
        {
            "North": [("a title",), ("business_key", "metric", "metric", "sold", "note", "paid"), ("A1", 1, 2, "x")],
            "East": [HEADER, ("nobody", 1), ("A1", "n/a")],
            "South": [HEADER, GOOD],
        },
    )  # fmt: skip
    workbook["South"].merge_cells("B1:C1")
    workbook["South"]["G1"] = "pieces"
    workbook.save(wide.home / "inbox/sales_2026-11-05.xlsx")
    status, found = report()
    assert (status, found["state"]) == (2, "refused")
    assert [problem["code"] for problem in found["problems"]] == [
        "column_missing", "column_type", "column_unfilled", "sheet_missing", "header_missing", "header_duplicate",
        "header_merged",
    ]  # fmt: skip
    words = " ".join(problem["message"] for problem in found["problems"])
    for named in (
        "no column paid", "fact_wide.note", "column extra", "no sheet 'West'; it has 'North', 'East', 'South'",
        "'North' has no column 'pieces'", "'metric' 2 times: B2 and C2", "'metric' in merged cells B1:C1",
    ):  # fmt: skip
        assert named in words
    assert [(one["address"], one["reason"]) for one in found["rejected"]] == [
        ("North!D3", "not_a_date"), ("East!A2", "unmatched_key"), ("East!B3", "not_a_number"),
    ]  # fmt: skip
    assert found["rows"]["source"] == 4
    _, shown, said = check()
    assert "7 problems, the first: table fact_wide has no column paid" in said
    assert all(f"{number}. " in shown for number in range(1, 8))


def test_a_dimension_that_can_not_be_read_leaves_the_rest_checked(wide: Place) -> None:
    wide.execute("INSERT INTO dim_product VALUES (20, 'A1 ')")
    write(wide, {"Facts": [HEADER, GOOD, ("nobody", "n/a"), ("nobody", 1)]})
    status, found = report()
    assert (status, [p["code"] for p in found["problems"]]) == (3, ["dimension_duplicate_keys"])
    assert found["rejects"] == {"not_a_number": 1}


def test_only_the_first_rows_of_a_reason_are_listed_and_all_are_counted(wide: Place) -> None:
    keys = [f"nobody {number % 700}" for number in range(3000)]
    write(wide, {"Facts": [HEADER, *((key, *GOOD[1:]) for key in keys)]})
    _, found = report()
    assert [one["row"] for one in found["rejected"]] == list(range(2, 12))
    assert found["rejects"] == {"unmatched_key": 3000}
    assert found["unmatched"] == {"product": {"rows": 3000, "keys": 700}}
    assert "     nobody 9  5\n" in check()[1]


def test_unmatched_fail_is_a_problem_with_its_count(wide: Place) -> None:
    wide.feed_file({**CHANGES, "dimensions.product.unmatched": "fail"})
    write(wide, {"Facts": [HEADER, GOOD, ("nobody", *GOOD[1:]), ("no one", *GOOD[1:])]})
    status, found = report()
    assert (status, [p["code"] for p in found["problems"]]) == (3, ["unmatched_key"])
    assert "2 rows have a business key without a member in dimension product" in found["error"]["message"]


def test_one_bad_workbook_among_several_is_named_and_the_others_are_checked(wide: Place) -> None:
    wide.feed_file({**CHANGES, "workbook.path": "inbox/*.xlsx"})
    write(wide, {"My Facts": [HEADER, ("nobody", *GOOD[1:])]}, "a.xlsx")
    (wide.home / "inbox/b.xlsx").write_bytes(b"no workbook")
    write(wide, {"Facts": [HEADER, GOOD, ("nobody", *GOOD[1:])]}, "c.xlsx")
    status, found = report()
    assert status == 3
    messages = [p["message"] for p in found["problems"]]
    assert [m.partition(":")[0] for m in messages] == ["a.xlsx", "b.xlsx"]
    assert [(r["workbook"], r["address"]) for r in found["rejected"]] == [("inbox/c.xlsx", "Facts!A3")]


def test_a_good_workbook_has_no_problems(wide: Place) -> None:
    write(wide, {"Facts": [HEADER, GOOD]})
    status, found = report()
    assert (status, found["state"], found["problems"], found["rejected"]) == (0, "ready", [], [])
    assert found["control_totals"] == {
        "metric": {"source": "1.00", "published": "0"}, "pieces": {"source": "2", "published": "0"}
    }  # fmt: skip


def test_what_publishing_would_change_is_told_in_rows_and_totals(place: Place) -> None:
    """Compared with the newest earlier period, and once it is published with what it has published."""
    place.workbook([("A1", 5), ("B2", 7)], date(2026, 11, 4))
    place.load(period=date(2026, 11, 4))
    place.workbook([("A1", 5), ("B2", 7), ("A1", 1.25)])
    totals = {"metric": {"before": "12.0000", "after": "13.2500"}}
    expected = {"of": "in sales@2026-11-04", "rows": {"before": 2, "after": 3}, "totals": totals}
    assert report()[1]["change"] == expected

    place.load()
    place.workbook([("A1", 5)])
    assert report()[1]["change"] == {
        "of": "as it is published",
        "rows": {"before": 3, "after": 1},
        "totals": {"metric": {"before": "13.2500", "after": "5.0000"}},
    }
    assert "rows           3        1        -2" in check()[1]


def test_a_first_load_and_one_that_would_be_refused_have_nothing_to_compare(place: Place) -> None:
    place.workbook([("A1", 5)])
    assert report()[1]["change"] is None
    place.load()
    place.feed_file({"workbook.sheet": "elsewhere"})
    status, found = report()
    assert (status, found["change"]) == (3, None)
