"""One feed over a series that changed its layout again and again: every year's facts are what a plain script reads, and
come to its owner's own total.

The series is made after a public one: a workbook a year, ten sheets each, headers renamed twice, sheets renamed once, cents
since 2010, a row of totals since 2015 and a total on a cover page before.
"""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from factload.check.layouts import Drift, layout_drift
from factload.errors import FeedError, RowsRefused
from factload.feed.file import read_feed_file
from factload.feed.model import Feed
from tests.integration.commands import factload
from tests.integration.place import Place
from tests.workbooks import write_sheets

YEARS = range(2001, 2021)
SHEETS = range(1, 11)
FEED = """
feed: series
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
FACTS = (
    "SELECT sheet, dimension_id, metric, channel FROM fact_sales WHERE load_id = :load ORDER BY 1, 2, 3, 4"
)


def sheet_names(year: int) -> list[str]:
    return [f"Gebiet {number}" if year < 2012 else f"R{number:02}" for number in SHEETS]


def headers(year: int) -> tuple[str, ...]:
    key, amount = ("Artikel", "Betrag") if year < 2006 else ("SKU", "Amount" if year < 2013 else "Net amount")
    return (key, amount) if year < 2012 else (key, "Channel", amount)


def path_of(home: Path, year: int) -> Path:
    return home / (f"inbox/old/{year}.xlsx" if year < 2008 else f"inbox/series_{year}.xlsx")


def write_year(home: Path, year: int, off_by: Decimal = Decimal(0)) -> None:
    """A year's workbook; ``off_by``: how wrong the total of its last sheet is."""
    sheets: dict[str, list[tuple[Any, ...]]] = {}
    whole = Decimal(0)
    for number, name in zip(SHEETS, sheet_names(year), strict=True):
        cents = Decimal("0.01") if year >= 2010 else Decimal(1)
        amounts = [(year * number + row * 7) * cents for row in range(number % 3 + 1)]
        keys = [("A1", "B2")[(year + row) % 2] for row in range(len(amounts))]
        channel = ("web",) if year >= 2012 else ()
        rows = [(key, *channel, float(amount)) for key, amount in zip(keys, amounts, strict=True)]
        total = sum(amounts, Decimal(0)) + (off_by if number == SHEETS[-1] else 0)
        whole += total
        sheets[name] = [(f"Sales of {year}",), headers(year), *rows]
        if year >= 2015:
            sheets[name].append((None, *([None] if channel else []), float(total)))
    path = path_of(home, year)
    path.parent.mkdir(exist_ok=True)
    write_sheets(path, {"Cover": [("Sales", year), ("Total", float(whole))], **sheets})


def script(home: Path, year: int) -> list[tuple[Any, ...]]:
    """What a plain script of somebody else reads of a year, knowing how that year is laid out."""
    book = openpyxl.load_workbook(path_of(home, year))
    found = []
    for name in book.sheetnames[1:]:
        rows = [[cell for cell in row if cell is not None] for row in book[name].iter_rows(values_only=True)]
        for row in rows[2 : -1 if year >= 2015 else None]:
            member = {"A1": 1, "B2": 2}[str(row[0])]
            channel = row[1] if year >= 2012 else None
            found.append((name, member, Decimal(str(row[-1])), channel))
    return sorted(found, key=str)


@pytest.fixture(scope="module")
def series(module_place: Place) -> tuple[Place, Feed]:
    module_place.execute("ALTER TABLE fact_sales ADD channel text, ADD sheet text")
    for year in YEARS:
        write_year(module_place.home, year)
    path = module_place.home / "include/feeds/series.yaml"
    names = {"OLD": str(sheet_names(2001)), "NEW": str(sheet_names(2020))}
    path.write_text(FEED.replace("OLD", names["OLD"]).replace("NEW", names["NEW"]), encoding="utf-8")
    return module_place, read_feed_file(path)


def test_every_year_is_what_a_plain_script_reads_and_its_owners_total(series: tuple[Place, Feed]) -> None:
    place, feed = series
    for year in YEARS:
        load = place.load(feed, date(year, 12, 31))
        found = place.rows(FACTS, load=load.load_id)
        assert sorted(found, key=str) == sorted(
            ((s, m, Decimal(f"{a:.4f}"), c) for s, m, a, c in script(place.home, year)), key=str
        )
        [(state, witness)] = place.rows(
            "SELECT state, witness FROM factload.attempts WHERE load_id = :load", load=load.load_id
        )
        assert state == "published"
        assert [one["equal"] for one in witness] == [True] * (10 if year >= 2015 else 1)


def test_a_year_whose_total_was_tampered_with_is_held(series: tuple[Place, Feed]) -> None:
    place, feed = series
    path = path_of(place.home, 2017)
    kept = shutil.copy(path, place.home / "kept.xlsx")
    write_year(place.home, 2017, off_by=Decimal("0.01"))
    try:
        with pytest.raises(RowsRefused) as error:
            place.load(feed, date(2017, 12, 31))
    finally:
        shutil.move(kept, path)
    assert error.value.code == "witness_differs"
    assert "R10" in error.value.seen


def drift(feed: Feed, first: int = 2001, last: int = 2020) -> dict[int, Drift]:
    found = layout_drift(feed, date(first, 1, 1), date(last, 12, 31))
    return {one.period.year: one for one in found if one.drifts}


def test_a_check_over_all_years_says_where_the_layout_drifts(series: tuple[Place, Feed]) -> None:
    found = drift(series[1])
    assert {year: dict(one.renamed) for year, one in found.items()} == {
        2006: {"Artikel": "SKU", "Betrag": "Amount"},
        2012: {},
        2013: {"Amount": "Net amount"},
    }
    assert (found[2012].new, found[2012].gone) == (("Channel",), ())
    assert found[2012].gone_sheets == tuple(sheet_names(2011))
    assert found[2012].new_sheets == tuple(sheet_names(2012))
    assert not any(one.problems for one in found.values())


def test_a_name_that_the_feed_lacks_is_a_problem_of_each_sheet_that_says_what_is_alike(
    series: tuple[Place, Feed],
) -> None:
    place, _ = series
    document = yaml.safe_load((place.home / "include/feeds/series.yaml").read_text(encoding="utf-8"))
    document["fact"]["columns"]["metric"]["column"] = ["Betrag", "Amount"]
    found = drift(Feed.model_validate(document), 2012, 2014)
    assert list(found) == [2013, 2014]
    assert found[2013].alike == (("Amount", "Net amount"),)
    assert [problem.code for problem in found[2013].problems] == ["header_missing"] * len(SHEETS)
    assert "Did you mean 'Net amount'?" in str(found[2013].problems[0])


def test_the_command_prints_the_drift_and_asks_no_database(
    series: tuple[Place, Feed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACTLOAD_CONN_WAREHOUSE")
    said = factload("check", "series", "--from", "2001-01-01", "--to", "2013-12-31")
    assert (said.returncode, said.stderr) == (0, "")
    assert "2013-01-01  inbox/series_2013.xlsx\n  renamed: 'Amount' is 'Net amount'" in said.stdout
    assert "13 periods with workbooks, 3 with another layout than before, or problems" in said.stdout
    (series[0].home / "inbox/series_2013.xlsx").rename(series[0].home / "away.xlsx")
    try:
        said = factload("check", "series", "--from", "2013-01-01", "--to", "2013-12-31")
        assert (said.returncode, said.stdout) == (3, "")
        assert "no period from 2013-01-01 to 2013-12-31 has a workbook" in said.stderr
    finally:
        (series[0].home / "away.xlsx").rename(series[0].home / "inbox/series_2013.xlsx")


@pytest.mark.parametrize(
    "options",
    [
        ("--to", "2013-12-31"),
        ("--from", "2013-12-31", "--to", "2013-01-01"),
        ("--from", "2013-12-31", "--period", "2013-12-31"),
        ("--from", "2013-12-31", "--workbook", "a.xlsx"),
    ],
)
def test_a_range_of_periods_has_two_ends_and_no_other_options(
    series: tuple[Place, Feed], options: tuple[str, ...]
) -> None:
    said = factload("check", "series", *options)
    assert said.returncode == 2
    assert "`--from` and `--to` name the first and the last" in said.stderr


def test_a_period_before_the_first_entry_is_refused_by_a_load_and_a_check(series: tuple[Place, Feed]) -> None:
    place, _ = series
    document = yaml.safe_load((place.home / "include/feeds/series.yaml").read_text(encoding="utf-8"))
    document["workbook"]["path"] = document["workbook"]["path"][1:]
    feed = Feed.model_validate(document)
    with pytest.raises(FeedError, match=r"does not say `workbook.path` for 2007-12-31"):
        place.load(feed, date(2007, 12, 31))
    with pytest.raises(FeedError, match=r"does not say `workbook.path` for 2007-01-01"):
        drift(feed, 2007, 2009)
