"""The owner's own number: equal, the load is published; another one, or none that can be read, and it is held."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table

from factload.check.load import check_load
from factload.cli.terminal import rendered
from factload.errors import RowsRefused
from factload.release import publish_held
from factload.reports.report import read_report
from tests import sheetxml
from tests.feeds import ABSENT
from tests.integration.place import PERIOD, Place
from tests.workbooks import first_sheet, write_sheets

LOAD = "sales@2026-11-05"
ENDS: dict[str, Any] = {"workbook.ends": "totals_row"}
SUM = {"at": "totals_row", "sum": "metric"}
HEADER = ("business_key", "metric")
ROWS: list[tuple[Any, ...]] = [("A1", 10), ("B2", 20.5)]


def path_of(place: Place, ending: str = "xlsx") -> Path:
    return place.home / f"inbox/sales_{PERIOD}.{ending}"


def published(place: Place) -> bool:
    return place.rows("SELECT state FROM factload.attempts ORDER BY epoch DESC LIMIT 1") == [("published",)]


def held(place: Place, changes: dict[str, Any]) -> str:
    """Why the load is held; the check says the same."""
    feed = place.feed(changes)
    checked = check_load(feed, PERIOD, database=place.url)
    assert (checked.state, checked.error and checked.error["code"]) == ("held", "witness_differs")
    assert "\nwitness " in rendered(checked)
    with pytest.raises(RowsRefused) as caught:
        place.load(feed)
    assert caught.value.code == "witness_differs"
    assert caught.value.seen == "; ".join(problem.seen for problem in checked.problems)
    assert place.rows("SELECT state, error_code FROM factload.attempts ORDER BY epoch DESC LIMIT 1") == [
        ("held", "witness_differs")
    ]
    assert place.facts() == []
    return caught.value.seen


def with_total(place: Place, cell: str, *, stale: bool = False) -> None:
    """A sheet whose total in B4 is this cell."""
    rows = sheetxml.text_row(1, HEADER)
    for number, (key, metric) in enumerate(ROWS, 2):
        rows += (
            f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{key}</t></is></c>'
            f'<c r="B{number}"><v>{metric}</v></c></row>'
        )
    rows += f'<row r="4"><c r="A4" t="inlineStr"><is><t>Total</t></is></c>{cell}</row>'
    sheetxml.write(path_of(place), sheetxml.sheet(rows), stale=stale)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('<c r="B4"><v>30.5</v></c>', None),
        ('<c r="B4"><f>SUM(B2:B3)</f><v>30.500000000000004</v></c>', None),  # what adding doubles leaves
        (
            '<c r="B4"><v>30.51</v></c>',
            "is 30.5100, and of the delivered rows it is 30.5000: a difference of -0.0100",
        ),
        ('<c r="B4"><v>30.49</v></c>', "a difference of 0.0100"),
        ('<c r="B4"><v>30.50004</v></c>', "is 30.50004, .*: a difference of -0.00004"),
        ("", "Facts!B4 is blank"),
        ('<c r="B4" t="inlineStr"><is><t>30.5</t></is></c>', "Facts!B4 holds a text"),
        ('<c r="B4" t="e"><v>#DIV/0!</v></c>', "Facts!B4 shows an error"),
        ('<c r="B4"><f>SUM(B2:B3)</f></c>', "Facts!B4 holds a formula whose value was never saved"),
        ('<c r="B4" s="1"><v>30.5</v></c>', "Facts!B4 holds a date"),
        ('<c r="B4" t="b"><v>1</v></c>', "Facts!B4 holds TRUE or FALSE"),
        ('<c r="B4" t="e" vm="1"><v>#VALUE!</v></c>', "Facts!B4 holds a linked data type"),
    ],
)
def test_what_a_total_may_hold(place: Place, cell: str, said: str | None) -> None:
    with_total(place, cell)
    changes = {**ENDS, "witness": SUM}
    if said is None:
        place.load(place.feed(changes))
        assert published(place)
        return

    assert re.search(said, held(place, changes))


def test_a_total_whose_saved_value_is_out_of_date_is_none_unless_the_feed_takes_it(place: Place) -> None:
    with_total(place, '<c r="B4"><f>SUM(B2:B3)</f><v>30.5</v></c>', stale=True)
    assert "saved value is out of date" in held(place, {**ENDS, "witness": SUM})
    place.load(place.feed({**ENDS, "witness": SUM, "workbook.stale_formulas": "take"}))
    assert published(place)


def test_the_report_has_the_witness_beside_source_and_published(place: Place) -> None:
    with_total(place, '<c r="B4"><v>30.5</v></c>')
    place.load(place.feed({**ENDS, "witness": SUM}))
    report = read_report(place.url, LOAD)
    assert report.witnessed == {"metric": "30.5000"}
    [witness] = report.witness
    assert (witness["place"], witness["equal"], witness["difference"]) == ("Facts!B4", True, "0.0000")
    shown = rendered(report)
    assert "witness Facts!B4: sum of metric 30.5000, delivered 30.5000, equal" in shown
    total = next(line for line in shown.splitlines() if line.strip().startswith("metric"))
    assert total.split() == ["metric", "30.5000", "30.5000", "equal", "30.5000"]


def test_a_witness_counts_rows_before_or_after_rejects_as_it_says(place: Place) -> None:
    write_sheets(path_of(place), {"Facts": [HEADER, ("A1", 10), ("nobody", 20), ("B2", "x"), ("rows", 3)]})
    count = {"at": "totals_row", "count": "rows", "column": "metric"}
    assert "is 3, and of the loaded rows it is 1: a difference of -2" in held(
        place, {**ENDS, "witness": {**count, "rows": "loaded"}}
    )
    place.load(place.feed({**ENDS, "witness": count}))
    assert published(place)


def test_a_witness_sums_rejected_rows_too_unless_it_speaks_of_loaded_ones(place: Place) -> None:
    write_sheets(path_of(place), {"Facts": [HEADER, ("A1", 10), ("nobody", 20), ("B2", "x"), ("sum", 30)]})
    assert "is 30.0000, and of the loaded rows it is 10.0000" in held(
        place, {**ENDS, "witness": {**SUM, "rows": "loaded"}}
    )
    place.load(place.feed({**ENDS, "witness": SUM}))
    assert published(place)


def test_rows_that_are_left_out_are_not_counted(place: Place) -> None:
    write_sheets(
        path_of(place),
        {"Facts": [HEADER, ("A1", 10), ("sub", 10), ("B2", 20), ("Total", 30), ("B2", 7)]},
    )
    changes = {
        "workbook.ends": {"first": "Total"},
        "workbook.skip_rows": [{"column": "business_key", "equals": "sub"}],
    }
    place.load(place.feed({**changes, "witness": SUM}))
    assert published(place)


def test_what_is_off_by_less_than_the_tolerance_is_equal(place: Place) -> None:
    with_total(place, '<c r="B4"><v>30.45</v></c>')
    assert "a difference of 0.0500" in held(place, {**ENDS, "witness": {**SUM, "tolerance": "0.049"}})
    place.load(place.feed({**ENDS, "witness": {**SUM, "tolerance": 0.05}}))
    assert published(place)


def test_a_released_load_is_published_and_says_what_differed(place: Place) -> None:
    with_total(place, '<c r="B4"><v>99</v></c>')
    changes = {**ENDS, "witness": SUM}
    held(place, changes)
    publish_held(place.feed(changes), PERIOD, reason="typo", by="ada", database=place.url)
    report = read_report(place.url, LOAD)
    assert (report.state, report.witness[0]["equal"], report.witness[0]["difference"]) == (
        "published",
        False,
        "-68.5000",
    )
    assert len(place.facts()) == 2


def test_a_witness_that_the_feed_gains_is_asked_of_a_published_load(place: Place) -> None:
    with_total(place, '<c r="B4"><v>99</v></c>')
    place.load(place.feed(ENDS))
    with pytest.raises(RowsRefused, match=r"is 99\.0000"):
        place.load(place.feed({**ENDS, "witness": SUM}))
    assert len(place.facts()) == 2  # as they were


def covered(place: Place, number: object, rows: Sequence[tuple[Any, ...]] = ROWS, name: str = "") -> None:
    path = place.home / f"inbox/sales_{PERIOD}{name}.xlsx"
    write_sheets(
        path, {"Cover": [("From", "us"), ("To", "you"), ("Total", number)], "Facts": [HEADER, *rows]}
    )
    workbook = openpyxl.load_workbook(path)
    workbook.defined_names["GrandTotal"] = DefinedName("GrandTotal", attr_text="Cover!$B$3")
    workbook.defined_names["Both"] = DefinedName("Both", attr_text="Cover!$B$2:$B$3")
    workbook["Cover"].sheet_state = "hidden"
    workbook.active = workbook["Facts"]
    workbook.save(path)


@pytest.mark.parametrize("at", ["Cover!B3", "'cover'!$B$3", "GrandTotal"])
def test_a_cell_is_a_witness_by_its_address_or_its_name(place: Place, at: str) -> None:
    covered(place, 30.5)
    place.load(place.feed({"witness": {"at": at, "sum": "metric"}}))
    assert published(place)
    [witness] = read_report(place.url, LOAD).witness
    assert (witness["place"], witness["workbook"], witness["sheet"]) == ("Cover!B3", "", "")


def test_of_several_witnesses_all_that_differ_are_named(place: Place) -> None:
    rows = [(*HEADER, "pieces"), ("A1", 10, 1), ("nobody", 20.5, 2), ("Total", 30.5, 3)]
    cover = [("Rows", 2), ("Sum", 30.5), ("Loaded", 1), ("Wrong", 31), ("Gone", None)]
    write_sheets(path_of(place), {"Cover": cover, "Facts": rows})
    place.execute("ALTER TABLE fact_sales ADD COLUMN IF NOT EXISTS pieces integer")
    changes = {
        **ENDS,
        "workbook.sheet": "Facts",
        "fact.columns.pieces": {"column": "pieces", "type": "integer"},
        "max_rejects": 1,
    }
    agree = [
        SUM,
        {"at": "totals_row", "sum": "pieces"},
        {"at": "Cover!B1", "count": "rows"},
        {"at": "Cover!B2", "sum": "metric", "sheet": "Facts"},
        {"at": "Cover!B3", "count": "rows", "rows": "loaded"},
    ]
    wrong = {"at": "Cover!B4", "sum": "metric"}
    said = held(place, {**changes, "witness": [*agree, wrong, {"at": "Cover!B5", "sum": "pieces"}]})
    assert "Cover!B4 says that the sum of metric is 31.0000" in said
    told = read_report(place.url, LOAD)
    assert [one["equal"] for one in told.witness] == [True] * 5 + [False] * 2
    assert told.witnessed == {"metric": "31.0000"}  # that of the others isn't the one that matters
    message = told.error and told.error["message"]
    assert message and "Cover!B4" in message and "Cover!B5 is blank" in message
    place.load(place.feed({**changes, "witness": agree}))
    assert published(place)
    report = read_report(place.url, LOAD)
    assert report.witnessed == {"metric": "30.5000", "pieces": "3"}
    shown = rendered(report)
    assert all(
        f"witness {at}: " in shown for at in ("Facts!B4", "Facts!C4", "Cover!B1", "Cover!B2", "Cover!B3")
    )


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("Cover!B9", "Cover!B9 is blank"),
        ("Cover!A3", "Cover!A3 holds a text"),
        ("Back!B3", "has no sheet 'Back'"),
        ("Total", "it names GrandTotal, Both"),
        ("Both", "is more than one cell, B2:B3"),
    ],
)
def test_a_cell_that_is_no_number_holds_the_load(place: Place, at: str, words: str) -> None:
    covered(place, 30.5)
    assert words in held(place, {"witness": {"at": at, "sum": "metric"}})


def test_of_several_workbooks_each_has_its_own_witness(place: Place) -> None:
    covered(place, 30.5, name="_north")
    covered(place, 7, [("A1", 7)], name="_south")
    changes: dict[str, Any] = {
        "workbook.path": "inbox/sales_{period}_*.xlsx",
        "witness": {"at": "Cover!B3", "sum": "metric"},
    }
    place.load(place.feed(changes))
    assert read_report(place.url, LOAD).witnessed == {"metric": "37.5000"}
    covered(place, 8, [("A1", 7)], name="_south")
    with pytest.raises(RowsRefused, match=r"_south\.xlsx: Cover!B3 says .* is 8\.0000") as caught:
        place.load(place.feed(changes))
    assert "_north" not in caught.value.seen


def test_each_sheet_has_a_total_of_its_own(place: Place) -> None:
    write_sheets(
        path_of(place),
        {"North": [HEADER, *ROWS, ("Total", 30.5)], "South": [HEADER, ("A1", 1), ("Total", 2)]},
    )
    said = held(place, {**ENDS, "workbook.sheet": "*", "witness": SUM})
    assert "South!B3" in said
    assert "North" not in said


def test_a_cell_may_speak_of_one_sheet_alone(place: Place) -> None:
    write_sheets(
        path_of(place),
        {"North": [HEADER, *ROWS], "South": [HEADER, ("A1", 1)], "Cover": [("North", 30.5), HEADER]},
    )
    changes: dict[str, Any] = {"workbook.sheet": ["North", "South"]}
    at: dict[str, Any] = {"at": "Cover!B1", "sum": "metric"}
    assert "is 30.5000, and of the delivered rows it is 31.5000" in held(place, {**changes, "witness": at})
    place.load(place.feed({**changes, "witness": {**at, "sheet": "North"}}))
    assert published(place)


def test_the_totals_row_of_a_table_is_a_witness_without_being_told(place: Place) -> None:
    write_sheets(path_of(place), {"Facts": [HEADER, *ROWS, ("Total", 30.5)]})
    workbook = openpyxl.load_workbook(path_of(place))
    workbook["Facts"].add_table(Table(displayName="Orders", ref="A1:B4", totalsRowCount=1))
    workbook.save(path_of(place))
    changes = {"workbook.sheet": ABSENT, "workbook.table": "Orders", "witness": SUM}
    place.load(place.feed(changes))
    assert published(place)
    first_sheet(workbook).tables["Orders"].totalsRowCount = None
    first_sheet(workbook).tables["Orders"].ref = "A1:B3"
    workbook.save(path_of(place))
    with pytest.raises(RowsRefused, match="sheet 'Facts' has no row of totals"):
        place.load(place.feed(changes))


CSV: dict[str, Any] = {
    "workbook.path": "inbox/sales_{period}.csv",
    "workbook.sheet": ABSENT,
    "workbook.csv": {"delimiter": ";", "decimal": ",", "thousands": "."},
}


@pytest.mark.parametrize(
    ("trailer", "field", "says", "said"),
    [
        ("T;2;1.030,50", 2, {"count": "rows"}, None),
        ("T;2;1.030,50", 3, {"sum": "metric"}, None),
        ("T;3", 2, {"count": "rows"}, "is 3, and of the delivered rows it is 2"),
        ('"T";"2"', 2, {"count": "rows"}, None),
        ("T;two", 2, {"count": "rows"}, "B4 holds a text"),
        ("T;2", 3, {"count": "rows"}, "C4 is blank"),
    ],
)
def test_the_last_record_of_a_csv_file_is_a_witness(
    place: Place, trailer: str, field: int, says: dict[str, str], said: str | None
) -> None:
    path_of(place, "csv").write_text(
        f"business_key;metric\nA1;1.000,00\nB2;30,50\n{trailer}\n", encoding="utf-8"
    )
    changes = {**CSV, **ENDS, "witness": {"at": "totals_row", "field": field, **says}}
    if said is not None:
        assert said in held(place, changes)
        return
    place.load(place.feed(changes))
    assert published(place)


@pytest.mark.parametrize(
    ("control", "witness", "said"),
    [
        ("sent,rows\n05:00,2\n", {"count": "rows", "column": "rows"}, None),
        ("metric\n30.5\n", {"sum": "metric"}, None),
        ("anything\nT,x,2\n", {"count": "rows", "field": 3}, None),
        ("rows\n3\n", {"count": "rows", "column": "rows"}, "is 3, and"),
        ("rows\n", {"count": "rows", "column": "rows"}, "has no record"),
        ("rows\n1\n1\n", {"count": "rows", "column": "rows"}, "has more than one record"),
        ("lines\n2\n", {"count": "rows", "column": "rows"}, "has no column 'rows'"),
        ("rows,of\n2,5,x\n", {"count": "rows", "column": "rows"}, "more fields than its header"),
        (None, {"count": "rows", "column": "rows"}, "there is no companion file"),
    ],
)
def test_a_companion_file_is_a_witness(
    place: Place, control: str | None, witness: dict[str, Any], said: str | None
) -> None:
    place.workbook(ROWS)
    if control is not None:
        (place.home / f"inbox/sales_{PERIOD}.control.csv").write_text(control, encoding="utf-8")
    changes = {"witness": {"file": "inbox/sales_{period}.control.csv", **witness}}
    if said is not None:
        assert said in held(place, changes)
        return
    place.load(place.feed(changes))
    assert published(place)


def test_a_companion_file_that_is_corrected_lets_the_load_pass(place: Place) -> None:
    place.workbook(ROWS)
    control = place.home / f"inbox/sales_{PERIOD}.control.csv"
    control.write_text("rows\n3\n", encoding="utf-8")
    changes = {"witness": {"file": "inbox/sales_{period}.control.csv", "count": "rows", "column": "rows"}}
    held(place, changes)
    control.write_text("rows\n2\n", encoding="utf-8")
    place.load(place.feed(changes))
    assert published(place)


def test_no_companion_file_is_read_outside_the_allowed_roots(place: Place, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "control.csv"
    elsewhere.write_text("rows\n2\n", encoding="utf-8")
    place.workbook(ROWS)
    said = held(place, {"witness": {"file": str(elsewhere), "count": "rows", "column": "rows"}})
    assert "outside the allowed roots" in said
