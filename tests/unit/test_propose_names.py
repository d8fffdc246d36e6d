"""What a proposed feed is called, and where its workbook will lie."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from factload.propose.names import feed_name, identifier, period_path, stem, unused


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
