"""What a proposed feed is called, and where its workbook will lie."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factload.propose.names import (
    feed_name,
    identifier,
    is_counted,
    is_digits_alone,
    is_key,
    may_have_fractions,
    period_path,
    stem,
    unused,
)


@pytest.mark.parametrize(
    ("workbook", "name"),
    [
        ("sales_2026-11-05.xlsx", "sales"),
        ("Sales Report 20261105 (final).xlsx", "sales_report_final"),
        ("2026-11-05.xlsx", "feed"),
        ("3rd quarter.xlsx", "feed_3rd_quarter"),
        ("Umsätze.xlsx", "umsaetze"),
        ("x" * 60 + ".xlsx", "x" * 40),
    ],
)
def test_a_feed_is_called_like_its_workbook_without_the_date(workbook: str, name: str) -> None:
    assert feed_name(Path(workbook).stem) == name


@pytest.mark.parametrize(
    ("path", "placed", "period"),
    [
        ("inbox/sales_2026-11-05.xlsx", "inbox/sales_{period}.xlsx", date(2026, 11, 5)),
        ("inbox/sales20261105.xlsx", "inbox/sales{period:%Y%m%d}.xlsx", date(2026, 11, 5)),
        ("inbox/2026-11-05/sales.xlsx", "inbox/2026-11-05/sales.xlsx", None),
        ("inbox/sales_20269999.xlsx", "inbox/sales_20269999.xlsx", None),
        ("inbox/sales_20260231.xlsx", "inbox/sales_20260231.xlsx", None),
        ("inbox/sales 05.11.2026.xlsx", "inbox/sales {period:%d.%m.%Y}.xlsx", date(2026, 11, 5)),
        ("inbox/sales_2026_11_05.csv.gz", "inbox/sales_{period:%Y_%m_%d}.csv.gz", date(2026, 11, 5)),
        ("inbox/sales-2026-11.xlsx", "inbox/sales-{period:%Y-%m}.xlsx", date(2026, 11, 1)),
        ("in{box}/a{b}_2026-11-05.xlsx", "in{{box}}/a{{b}}_{period}.xlsx", date(2026, 11, 5)),
        ("inbox/1120261105123.xlsx", "inbox/1120261105123.xlsx", None),
    ],
)
def test_a_date_in_the_file_s_name_is_the_period(path: str, placed: str, period: date | None) -> None:
    assert period_path(path) == (placed, period)


@pytest.mark.parametrize("name", ["product_id", "Product Code", "dim_product", "PRODUCT_NR", "fact_product"])
def test_what_a_name_is_about(name: str) -> None:
    assert stem(name) == "product"


def test_names_of_columns() -> None:
    assert identifier("Amount, €") == "amount"
    assert identifier("2026") == "column_2026"
    assert unused("load_id", ["load_id", "load_id_2"]) == "load_id_3"


@pytest.mark.parametrize(
    "header",
    ["Customer ID", "CustomerID", "customer_id", "Id", "StockCode", "InvoiceNo", "Order #", "Kundennr.", "Kundennummer",
     "Artikel-Nr.", "SKU", "Code client", "N° client", "Référence", "PRODUCT_NR"],
)  # fmt: skip
def test_names_of_keys(header: str) -> None:
    assert is_key(header)


@pytest.mark.parametrize(
    "header",
    [
        "Paid",
        "Valid",
        "Grid",
        "Commune",
        "Row ID",
        "Month Number",
        "#",
        "No.",
        "Postal Code",
        "Phone No",
        "Note",
    ],
)
def test_names_that_only_look_like_names_of_keys(header: str) -> None:
    assert not is_key(header)


def test_what_names_say_of_numbers() -> None:
    assert [is_counted(name) for name in ("Row ID", "Month Number", "#", "Customer ID")] == [
        True,
        True,
        True,
        False,
    ]
    assert [is_digits_alone(name) for name in ("Postal Code", "PLZ", "Mobile phone", "Amount")] == [
        True,
        True,
        True,
        False,
    ]
    assert [may_have_fractions(name) for name in ("Net amount", "Betrag", "UnitPrice", "Quantity")] == [
        True,
        True,
        True,
        False,
    ]


@given(st.text(max_size=200), st.lists(st.text(max_size=100), max_size=5))
def test_any_header_makes_a_name_that_postgresql_keeps_whole(header: str, others: list[str]) -> None:
    taken: list[str] = []
    for one in [header, *others, header, header.upper()]:
        taken.append(unused(identifier(one), taken))
    assert len(set(taken)) == len(taken)
    assert all(0 < len(name.encode()) <= 63 and name[0].isalpha() for name in taken)
