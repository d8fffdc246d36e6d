"""Columns whose names are periods are proposed as rows: which they are, and by what names or pattern a feed finds them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from factload.propose.first import propose_feed
from factload.propose.period_names import is_sum_of_periods, pattern_of, period_named
from factload.propose.unpivot_seen import fits
from factload.propose.written import feed_text
from tests.workbooks import write_rows

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
GERMAN = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
]
ENGLISH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"


def proposed(folder: Path, *rows: tuple[Any, ...]) -> dict[str, Any]:
    """The feed that is proposed for a sheet, without a database."""
    feed: dict[str, Any] = yaml.safe_load(
        feed_text(propose_feed(write_rows(folder / "plan.xlsx", rows)), None)
    )
    return feed


def numbers(columns: int, *names: Any, rows: int = 6) -> list[tuple[Any, ...]]:
    """Rows of a key, and numbers."""
    return [(f"Region {n}", *names, *(n * 100 + i + 0.5 for i in range(columns))) for n in range(rows)]


@pytest.mark.parametrize(
    ("names", "unpivot"),
    [
        (MONTHS, {"columns": MONTHS, "name": "month", "value": "amount"}),
        (MONTHS[:9], {"pattern": ENGLISH, "name": "month", "value": "amount"}),
        (
            [f"{month} 2026" for month in MONTHS],
            {"pattern": f"{ENGLISH} [0-9]{{4}}", "name": "month", "value": "amount"},
        ),
        (
            ["2026-01", "2026-02", "2026-03"],
            {"pattern": "[0-9]{4}-[0-9]{2}", "name": "month", "value": "amount"},
        ),
        ([2023, 2024, 2025, 2026], {"pattern": "[0-9]{4}", "name": "year", "value": "amount"}),
        (["KW 9", "KW 10", "KW 11"], {"pattern": "KW [0-9]{1,2}", "name": "week", "value": "amount"}),
        (["KW 7", "KW 8", "KW 9"], {"pattern": "KW [0-9]{1,2}", "name": "week", "value": "amount"}),
        (
            [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)],
            {"pattern": "[0-9]{4}-[0-9]{2}-[0-9]{2}", "name": "day", "value": "amount"},
        ),
        (
            ["Q1", "Q2", "Q3", "Q4"],
            {"columns": ["Q1", "Q2", "Q3", "Q4"], "name": "quarter", "value": "amount"},
        ),
        # Spelt in more ways than one: no pattern is certain to leave all others out.
        (
            ["Janv.", "Févr.", "Mars"],
            {"columns": ["Janv.", "Févr.", "Mars"], "name": "month", "value": "amount"},
        ),
    ],
)
def test_columns_of_one_kind_of_period_become_rows(
    tmp_path: Path, names: list[Any], unpivot: dict[str, Any]
) -> None:
    feed = proposed(tmp_path, ("Region", *names), *numbers(len(names)))
    assert feed["workbook"]["unpivot"] == unpivot
    assert feed["dimensions"]["region"]["column"] == "Region"
    assert feed["fact"]["columns"]["amount"] == {
        "column": "amount",
        "type": "numeric(18,4)",
        "required": True,
    }


def test_names_that_are_dates_are_read_as_dates(tmp_path: Path) -> None:
    days = [date(2026, month, 1) for month in range(1, 13)]
    feed = proposed(tmp_path, ("Region", *days), *numbers(12))
    assert feed["workbook"]["unpivot"]["pattern"] == "[0-9]{4}-[0-9]{2}-[0-9]{2}"
    assert feed["fact"]["columns"]["month"] == {"column": "month", "type": "date", "required": True}


@pytest.mark.parametrize(
    ("names", "date_format"),
    [
        (["Jan 26", "Feb 26", "Mar 26"], "%b %y"),
        (["Apr-26", "May-26", "Jun-26"], "%b-%y"),
        (["March 2026", "April 2026", "May 2026"], "%B %Y"),
        (["2026-01", "2026-02", "2026-03"], "%Y-%m"),
        (["01/2026", "02/2026", "03/2026"], "%m/%Y"),
        (["May 26", "May 27", "May 28"], None),  # may be days of May
        (["Jan 10", "Jan 11", "Jan 12"], None),
        (["Mrz 26", "Apr 26", "Mai 26"], None),
        (["Jan", "Feb", "Mar"], None),
    ],
)
def test_months_of_a_year_are_read_as_their_first_days_where_one_format_fits(
    tmp_path: Path, names: list[str], date_format: str | None
) -> None:
    feed = proposed(tmp_path, ("Region", *names), *numbers(len(names)))
    month = feed["fact"]["columns"]["month"]
    assert (month["type"], month.get("date_format")) == ("date" if date_format else "text", date_format)


def test_days_are_dates_and_those_off_may_hold_nothing(tmp_path: Path) -> None:
    days = [date(2026, 11, day) for day in range(1, 8)]
    rows = [("Employee", *days), *(("E1", 8, 8, None, None, 8, 8, 8) for _ in range(6))]
    feed = proposed(tmp_path, *rows)
    assert feed["workbook"]["unpivot"]["name"] == "day"
    assert feed["fact"]["columns"]["day"] == {"column": "day", "type": "date", "required": True}
    csv = tmp_path / "days.csv"
    csv.write_text("Employee,2026-11-01,2026-11-02,2026-11-03\n" + "E1,8,,7.5\n" * 6, encoding="utf-8")
    found = yaml.safe_load(feed_text(propose_feed(csv), None))
    assert found["workbook"]["unpivot"]["pattern"] == "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def test_sums_beside_the_periods_are_not_loaded_with_each_of_them(tmp_path: Path) -> None:
    names = [*MONTHS[:3], "Q1", *MONTHS[3:6], "Q2", "YTD"]
    feed = proposed(tmp_path, ("Region", *names), *numbers(len(names)))
    assert feed["workbook"]["unpivot"]["pattern"] == ENGLISH
    assert list(feed["fact"]["columns"]) == ["region_id", "month", "amount"]


def test_two_rows_of_names_are_both_read(tmp_path: Path) -> None:
    feed = proposed(
        tmp_path,
        (None, 2025, None, None, None, 2026, None, None, None),
        ("Region", "Q1", "Q2", "Q3", "Q4", "Q1", "Q2", "Q3", "Q4"),
        *numbers(8),
    )
    assert feed["workbook"]["unpivot"] == {
        "columns": ["Q1", "Q2", "Q3", "Q4"],
        "name": "quarter",
        "value": "amount",
        "above": "year",
    }
    assert feed["fact"]["columns"]["year"] == {"column": "year", "type": "integer", "required": True}
    again = proposed(
        tmp_path,
        (None, None, "Januar", None, "Februar", None),
        ("Region", "Owner", "Plan", "Ist", "Plan", "Ist"),
        *numbers(4, "ada"),
    )
    assert again["workbook"]["unpivot"] == {
        "columns": ["Plan", "Ist"],
        "name": "measure",
        "value": "amount",
        "above": "month",
    }


@pytest.mark.parametrize(
    "names",
    [
        ["Amount", "Price", "May"],
        ["2025", "2026"],
        ["Jan", "Feb", "Jan"],  # the same month twice, and nothing above tells which
        ["Plan 2026", "Plan 2027", "Plan 2028"],
    ],
)
def test_other_names_stay_columns(tmp_path: Path, names: list[str]) -> None:
    assert "unpivot" not in proposed(tmp_path, ("Region", *names), *numbers(len(names)))["workbook"]


def test_periods_above_texts_stay_columns(tmp_path: Path) -> None:
    rows = [(f"R{n}", "early", "late", "night") for n in range(6)]
    assert "unpivot" not in proposed(tmp_path, ("Region", "Jan", "Feb", "Mar"), *rows)["workbook"]


def test_cells_that_are_no_numbers_are_rejects_and_no_reason_to_give_the_periods_up(tmp_path: Path) -> None:
    rows = numbers(12, rows=40)
    rows[7] = ("Region 7", "tbd", *rows[7][2:])
    feed = proposed(tmp_path, ("Region", *MONTHS), *rows)
    assert feed["workbook"]["unpivot"]["columns"] == MONTHS
    assert feed["max_rejects"] == "0.5%"


_SPELLINGS: list[Callable[[int, int], str]] = [
    lambda month, year: MONTHS[month - 1],
    lambda month, year: GERMAN[month - 1].upper(),
    lambda month, year: f"{GERMAN[month - 1]} {year}",
    lambda month, year: f"{MONTHS[month - 1]}-{year % 100:02}",
    lambda month, year: f"{year}{month:02}",
    lambda month, year: f"{month}/{year}",
    lambda month, year: f"{year}.{month:02}",
    lambda month, year: f"Q{(month + 2) // 3} {year}",
    lambda month, year: f"{(month + 2) // 3}Q{year % 100:02}",
    lambda month, year: f"CW{month}",
    lambda month, year: f"FY {year}",
    lambda month, year: f"{year} [YR{year}]",
]
_PERIODS = st.lists(st.tuples(st.integers(1, 12), st.integers(1950, 2049)), min_size=1, max_size=9)


@st.composite
def spelt_alike(draw: st.DrawFn) -> list[str]:
    spelt = draw(st.sampled_from(_SPELLINGS))
    return [spelt(*period) for period in draw(_PERIODS)]


@given(spelt_alike(), spelt_alike())
def test_a_pattern_fits_all_names_that_are_spelt_so(names: list[str], others: list[str]) -> None:
    pattern = pattern_of(names)
    assert pattern is not None
    assert all(period_named(name) and fits(name, pattern) for name in names)
    assert not any(map(is_sum_of_periods, names)) or names[0].startswith("FY")
    assert (pattern_of([*names, *others]) is not None) == all(
        fits(name, pattern_of([*names, *others]) or "-") for name in [*names, *others]
    )


@pytest.mark.parametrize(
    "name", ["Total", "Sum", "Summe:", "YTD", "Full year", "FY 2026", "Jahressumme", "Année"]
)
def test_a_sum_is_told_by_what_it_is_called(name: str) -> None:
    assert is_sum_of_periods(name)


@pytest.mark.parametrize(
    "name", ["Marketing", "Decimal", "Q5", "2026-13", "13/2026", "W54", "Sales total", "1850"]
)
def test_what_only_begins_like_a_period_is_none(name: str) -> None:
    assert period_named(name) is None
    assert not is_sum_of_periods(name)
