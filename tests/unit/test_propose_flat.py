"""What a flat sheet repeats of a key is proposed as the member's, and the owner's own sums as witnesses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from openpyxl.worksheet.table import Table

from factload.propose.ddl import ddl_text
from factload.propose.first import propose_feed
from factload.propose.written import feed_text
from tests.workbooks import first_sheet, write_rows, write_sheets

HEADER = ("Customer ID", "Customer Name", "City", "Amount")
ROWS = [(f"C{n % 3}", f"Name {n % 3}", f"City {n % 2}", n + 1000.25) for n in range(12)]
SUM = sum(row[3] for row in ROWS)


def proposed(workbook: Path) -> dict[str, Any]:
    feed: dict[str, Any] = yaml.safe_load(feed_text(propose_feed(workbook), None))
    return feed


def attributes_in(workbook: Path) -> Any:
    unmatched = proposed(workbook)["dimensions"]["customer"]["unmatched"]
    return unmatched["create"]["attributes"] if isinstance(unmatched, dict) else None


def test_what_is_called_after_the_key_and_never_differs_is_the_members(tmp_path: Path) -> None:
    workbook = write_rows(tmp_path / "flat.xlsx", [HEADER, *ROWS])
    assert attributes_in(workbook) == {"customer_name": "Customer Name"}
    assert list(proposed(workbook)["fact"]["columns"]) == ["customer_key", "city", "amount"]
    assert "customer_name TEXT" in ddl_text(propose_feed(workbook))


@pytest.mark.parametrize(
    "rows",
    [
        [*ROWS, ("C0", "Another name", "City 1", 5)],
        [*ROWS, ("C0", None, "City 1", 5)],  # it says nothing where others say something
        ROWS[:3],  # each key once: no two rows could differ
    ],
)
def test_what_differs_or_could_not_is_a_column_of_the_facts(tmp_path: Path, rows: list[Any]) -> None:
    workbook = write_rows(tmp_path / "flat.xlsx", [HEADER, *rows])
    assert attributes_in(workbook) is None
    assert "customer_name" in proposed(workbook)["fact"]["columns"]


SAP = [
    (None, "Account", "Document", "Amount"),
    *[(None, 400000 + n % 2, f"49{n}", n + 0.5) for n in range(6)],
    ("*", None, None, 18),
    *[(None, 400002, f"50{n}", n + 0.5) for n in range(6)],
    ("*", None, None, 18),
    ("**", None, None, 36),
]
UNITS = [
    ("Station", "Temperature", "Rain"),
    (None, "°C", "mm"),
    *[(f"S{n}", n + 0.5, n) for n in range(6)],
]
FLAGS = [(None, "Item", "Effect"), *[("*" if n % 3 else None, f"I{n}", n + 0.5) for n in range(12)]]
MEANS = [("Shop", "Amount"), *[(f"S{n}", n + 0.5) for n in range(6)], ("Sum", 18), ("Average", 3)]
BALANCE = [
    ("Booked", "Text", "Amount"),
    *[("01.02.2026", f"t{n}", n) for n in range(6)],
    (),
    ("Endsaldo", None, 15),
]


@pytest.mark.parametrize(
    ("rows", "skipped"),
    [
        (SAP, [{"field": 1, "pattern": r"\*+"}]),
        (UNITS, [{"column": "Temperature", "equals": "°C"}]),
        (BALANCE, [{"column": "Booked", "equals": "Endsaldo"}]),
        (MEANS, None),
        ([*MEANS[:-2], ("Count", 18)], None),  # perhaps a shop's name
        (FLAGS, None),  # stars beside whole rows
        ([UNITS[0], ("S9", "n/a", "n/a"), *UNITS[2:]], None),  # a row of data
    ],
)
def test_subtotals_with_stars_balances_and_units_are_left_out_and_rows_of_data_are_not(
    tmp_path: Path, rows: list[tuple[Any, ...]], skipped: list[dict[str, Any]] | None
) -> None:
    feed = proposed(write_rows(tmp_path / "a.xlsx", rows))
    assert feed["workbook"].get("skip_rows") == skipped
    assert ("ends" in feed["workbook"]) == (rows is MEANS)
    assert all(
        column.get("type") != "text"
        for name, column in feed["fact"]["columns"].items()
        if name in ("amount", "temperature")
    )


@pytest.mark.parametrize(
    ("words", "noted"),
    [
        (
            ("S", "H"),
            "S/H may say its sign: negative: {column: S/H, minus: [S], plus: [H]}, or the other way round",
        ),
        (("-", "+"), 'S/H may say its sign: negative: {column: S/H, minus: ["-"], plus: ["+"]}'),
        (("S", "S"), None),
        (("S", "T"), None),
    ],
)
def test_a_column_that_may_say_the_signs_is_named_beside_the_amounts_and_is_no_key(
    tmp_path: Path, words: tuple[str, str], noted: str | None
) -> None:
    rows = [(words[n % 2], f"text {n}", n + 0.5, n) for n in range(12)]
    workbook = write_rows(tmp_path / "a.xlsx", [("S/H", "Text", "Amount", "Count"), *rows])
    [amount] = [
        line for line in feed_text(propose_feed(workbook), None).splitlines() if "column: Amount" in line
    ]
    assert amount.partition("# ")[2] == (noted or "")
    assert ("dimensions" in proposed(workbook)) == (noted is None)


def test_two_columns_that_may_say_the_signs_of_one_are_both_named_beside_it(tmp_path: Path) -> None:
    rows = [("SH"[n % 2], n + 0.5, "DC"[n % 2], f"text {n}") for n in range(12)]
    workbook = write_rows(tmp_path / "a.xlsx", [("S/H", "Amount", "D/C", "Text"), *rows])
    [amount] = [
        line for line in feed_text(propose_feed(workbook), None).splitlines() if "column: Amount" in line
    ]
    assert "S/H may say its sign" in amount and "D/C may say its sign" in amount


@pytest.mark.parametrize(
    ("total", "witness"),
    [
        (SUM, {"at": "totals_row", "sum": "Amount"}),
        (SUM + 1e-11, {"at": "totals_row", "sum": "Amount"}),  # what adding doubles leaves behind
        (SUM + 0.01, None),
        ("see above", None),
        (None, None),
    ],
)
def test_the_row_of_totals_is_the_witness_where_it_is_right(
    tmp_path: Path, total: Any, witness: dict[str, str] | None
) -> None:
    workbook = write_rows(tmp_path / "flat.xlsx", [HEADER, *ROWS, ("Total", None, None, total)])
    feed = proposed(workbook)
    assert feed["workbook"]["ends"] == {"first": "Total"}
    assert feed.get("witness") == witness


def test_the_totals_row_of_an_excel_table_is_the_witness(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "table.xlsx", [HEADER, *ROWS, ("Total", None, None, SUM)])
    workbook = openpyxl.load_workbook(path)
    table = Table(displayName="Orders", ref=f"A1:D{len(ROWS) + 2}", totalsRowCount=1)
    first_sheet(workbook).add_table(table)
    workbook.save(path)
    feed = proposed(path)
    assert feed["workbook"]["table"] == "Orders"
    assert feed["witness"] == {"at": "totals_row", "sum": "Amount"}


@pytest.mark.parametrize(
    ("cover", "at"),
    [
        ([("Control",), ("Total of all", SUM)], "'Cover page'!B2"),
        ([("Control",), (None, SUM)], None),  # nothing says what it is
        ([("Control",), ("Total of all", SUM + 1)], None),
    ],
)
def test_a_number_on_a_cover_page_is_the_witness_if_it_is_the_sum(
    tmp_path: Path, cover: list[Any], at: str | None
) -> None:
    workbook = write_sheets(tmp_path / "flat.xlsx", {"Cover page": cover, "Data": [HEADER, *ROWS]})
    assert proposed(workbook).get("witness", {}).get("at") == at


def test_months_and_their_sum_are_proved_by_the_sum_of_sums(tmp_path: Path) -> None:
    months = [(n, n + 1, n + 2, 3 * n + 3) for n in range(6)]
    rows = [(f"R{n}", *amounts) for n, amounts in enumerate(months)]
    total = ("Total", *(sum(of_month) for of_month in zip(*months, strict=True)))
    feed = proposed(
        write_rows(tmp_path / "plan.xlsx", [("Region", "Jan", "Feb", "Mar", "Year"), *rows, total])
    )
    assert feed["witness"] == {"at": "totals_row", "sum": "amount", "column": "Year"}
