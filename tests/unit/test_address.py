"""A cell's address reads as Excel writes it in a formula."""

from __future__ import annotations

import pytest

from factload.sheet.address import address


@pytest.mark.parametrize(
    ("sheet", "written"),
    [
        ("Facts", "Facts!B2"),
        ("Umsätze_2026", "Umsätze_2026!B2"),
        ("日本", "日本!B2"),
        ("v1.2", "v1.2!B2"),
        ("My Sheet", "'My Sheet'!B2"),
        ("Q1-Q2", "'Q1-Q2'!B2"),
        ("Bob's", "'Bob''s'!B2"),
        ("2026", "'2026'!B2"),
        ("A1", "'A1'!B2"),
        ("xfd12", "'xfd12'!B2"),
        ("R1C1", "'R1C1'!B2"),
        ("RC", "'RC'!B2"),
        ("c", "'c'!B2"),
        ("North", "North!B2"),
        ("", "''!B2"),
    ],
)
def test_a_sheet_is_quoted_where_excel_quotes_it(sheet: str, written: str) -> None:
    assert address(sheet, "B2") == written
