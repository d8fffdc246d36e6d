"""A series that changed its layout again and again, made after a public one: a workbook a year, ten sheets each, headers
renamed twice, sheets renamed once, cents since 2010, a row of totals since 2015 and a total on a cover page before.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.workbooks import write_sheets

YEARS = range(2001, 2021)
SHEETS = range(1, 11)
_FEED = """
feed: series
schedule: "0 2 31 12 *"
workbook:
  path: [{path: "inbox/old/{period:%Y}.xlsx"}, {from: 2008-01-01, path: "inbox/series_{period:%Y}.xlsx"}]
  sheet: [{sheet: OLD}, {from: 2012-01-01, sheet: NEW}]
  ends: [{ends: null}, {from: 2015-01-01, ends: totals_row}]
dimensions:
  product: {table: dim_product, business_key: business_key, surrogate_key: primary_synthetic_key, column: [Artikel, SKU]}
fact:
  connection: warehouse
  table: fact_sales
  columns:
    dimension_id: {dimension: product}
    metric: {column: [Betrag, Amount, Net amount], type: "numeric(18,4)", required: true}
    channel: {column: [{column: null}, {from: 2012-01-01, column: Channel}], type: text}
    sheet: {provenance: sheet}
  load_column: load_id
witness: [{witness: {at: "Cover!B2", sum: metric}}, {from: 2015-01-01, witness: {at: totals_row, sum: metric}}]
"""
# What the fact table has of a load, with the products' own keys.
FACTS = """
SELECT sheet, business_key, metric, channel FROM fact_sales JOIN dim_product ON dimension_id = primary_synthetic_key
WHERE load_id = :load
"""


def sheet_names(year: int) -> list[str]:
    return [f"Gebiet {number}" if year < 2012 else f"R{number:02}" for number in SHEETS]


FEED = _FEED.replace("OLD", str(sheet_names(2001))).replace("NEW", str(sheet_names(2020)))


def path_of(home: Path, year: int) -> Path:
    return home / (f"inbox/old/{year}.xlsx" if year < 2008 else f"inbox/series_{year}.xlsx")


def write_year(home: Path, year: int, off_by: Decimal = Decimal(0), more_rows: int = 0) -> None:
    """A year's workbook of one to three rows a sheet, and some more; ``off_by``: how wrong the total of its last sheet
    is."""
    sheets: dict[str, list[tuple[Any, ...]]] = {}
    whole = Decimal(0)
    for number, name in zip(SHEETS, sheet_names(year), strict=True):
        cents = Decimal("0.01") if year >= 2010 else Decimal(1)
        amounts = [(year * number + row * 7) * cents for row in range(number % 3 + 1 + more_rows)]
        keys = [("A1", "B2")[(year + row) % 2] for row in range(len(amounts))]
        channel = ("web",) if year >= 2012 else ()
        rows = [(key, *channel, float(amount)) for key, amount in zip(keys, amounts, strict=True)]
        total = sum(amounts, Decimal(0)) + (off_by if number == SHEETS[-1] else 0)
        whole += total
        sheets[name] = [(f"Sales of {year}",), _headers(year), *rows]
        if year >= 2015:
            sheets[name].append((None, *([None] if channel else []), float(total)))
    path = path_of(home, year)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_sheets(path, {"Cover": [("Sales", year), ("Total", float(whole))], **sheets})


def _headers(year: int) -> tuple[str, ...]:
    key, amount = ("Artikel", "Betrag") if year < 2006 else ("SKU", "Amount" if year < 2013 else "Net amount")
    return (key, amount) if year < 2012 else (key, "Channel", amount)
