"""A script as somebody else would write it, who was told how each year's workbook is laid out: openpyxl and decimal."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import openpyxl

Fact = tuple[str, str, Decimal, str | None]  # sheet, product, amount, channel


def facts_of(inbox: Path, year: int) -> list[Fact]:
    """The rows of a year, sorted."""
    [path] = inbox.rglob(f"*{year}.xlsx")
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    facts: list[Fact] = []
    for name in book.sheetnames:
        if name == "Cover":
            continue
        rows = list(book[name].iter_rows(min_row=3, values_only=True))
        if year >= 2015:
            rows.pop()  # the total
        for row in rows:
            channel = str(row[1]) if year >= 2012 else None
            facts.append((name, str(row[0]), Decimal(str(row[-1])), channel))
    book.close()
    return sorted(facts)
