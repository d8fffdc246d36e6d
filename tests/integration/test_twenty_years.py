"""One feed over a series that changed its layout again and again (``tests.series``): every year's facts are what a plain
script reads, and come to its owner's own total.
"""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal

import pytest
import yaml

from factload.check.layouts import Drift, layout_drift
from factload.errors import FeedError, RowsRefused
from factload.feed.file import read_feed_file
from factload.feed.model import Feed
from tests.integration.commands import factload
from tests.integration.place import Place
from tests.series.plain_reader import facts_of
from tests.series.workbooks import FACTS, FEED, SHEETS, YEARS, path_of, sheet_names, write_year


@pytest.fixture(scope="module")
def series(module_place: Place) -> tuple[Place, Feed]:
    module_place.execute("ALTER TABLE fact_sales ADD channel text, ADD sheet text")
    for year in YEARS:
        write_year(module_place.home, year)
    path = module_place.home / "include/feeds/series.yaml"
    path.write_text(FEED, encoding="utf-8")
    return module_place, read_feed_file(path)


def test_every_year_is_what_a_plain_script_reads_and_its_owners_total(series: tuple[Place, Feed]) -> None:
    place, feed = series
    for year in YEARS:
        load = place.load(feed, date(year, 12, 31))
        found = sorted(map(tuple, place.rows(FACTS, load=load.load_id)))
        assert found == facts_of(place.home / "inbox", year)
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
