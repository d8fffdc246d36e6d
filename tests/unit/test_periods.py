"""Fields by ranges of periods: each period has a plain feed, the one that a file without ranges would have said."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from factload.errors import FeedError
from factload.feed.file import read_feed_file
from factload.feed.model import Feed
from tests.feeds import SALES, changed

OF_2019, OF_2021 = date(2019, 1, 1), date(2021, 6, 1)
# Every field that may have ranges → what it says before 2019, from 2019 on and from June 2021 on; None: nothing.
SAYS: Mapping[str, tuple[Any, Any, Any]] = {
    "workbook.path": ("a/{period}.xlsx", "b/{period}.xlsx", "c/{period:%Y}_*.xlsx"),
    "workbook.sheet": ("Data", ["North", "South"], "*"),
    "workbook.table": (None, "Orders", "Orders2"),
    "workbook.range": ("Data!A1:B9", "Facts", None),
    "workbook.ends": (None, "totals_row", {"first": "Total", "column": ["a", "b"]}),
    "workbook.skip_rows": (
        [{"column": "a", "equals": "Sub"}],
        [],
        [{"column": ["a", "b"], "pattern": "S.*"}],
    ),
    "workbook.csv": ({"delimiter": ";"}, None, {"encoding": "cp1252"}),
    "dimensions.product.column": ("SKU", ["SKU", "Article"], "Article"),
    "dimensions.product.as_of.date": ("period", "Day", ["Day", "Tag"]),
    "fact.columns.metric.column": ("metric", "amount", ["amount", "Betrag"]),
    "witness": (
        None,
        {"at": "Cover!B3", "sum": "metric"},
        {"file": "{period}.csv", "count": "rows", "field": 2},
    ),
}
BASE = yaml.safe_load(
    changed(
        SALES,
        {
            "workbook": {"path": "inbox/sales_{period}.xlsx"},
            "dimensions.product.as_of": {"valid_from": "a", "valid_to": "b"},
        },
    )
)


def put(document: dict[str, Any], field: str, value: object) -> None:
    """The field of the document; None takes it out."""
    *parents, name = field.split(".")
    for parent in parents:
        document = document[parent]
    if value is None:
        document.pop(name, None)
    else:
        document[name] = value


def with_ranges(field: str) -> tuple[dict[str, Any], dict[date, dict[str, Any]]]:
    """A feed with ranges of this field, and for a period of each the feed without them."""
    ranged, name = copy.deepcopy(BASE), field.rpartition(".")[2]
    before, from_2019, from_2021 = SAYS[field]
    entries = [{name: before}, {"from": OF_2019, name: from_2019}, {"from": OF_2021, name: from_2021}]
    put(ranged, field, entries)
    plain = {}
    for period, said in ((date(2018, 12, 31), before), (OF_2019, from_2019), (date(2021, 7, 1), from_2021)):
        plain[period] = copy.deepcopy(BASE)
        put(plain[period], field, said)
    return ranged, plain


@pytest.mark.parametrize("field", SAYS)
def test_the_feed_of_a_period_is_the_one_that_a_file_without_ranges_says(field: str) -> None:
    ranged, plain = with_ranges(field)
    feed = Feed.model_validate(ranged)
    for period, document in plain.items():
        alone = Feed.model_validate(document)
        assert feed.at(period) == alone
        assert feed.at(period).fingerprint == alone.fingerprint
        assert feed.at(period).workbook.for_period(period) == alone.workbook.for_period(period)


def test_an_entry_counts_from_its_day_on() -> None:
    feed = Feed.model_validate(with_ranges("workbook.path")[0])
    days = (date(1, 1, 1), date(2018, 12, 31), OF_2019, date(2021, 5, 31), OF_2021, date(9999, 12, 31))
    assert [feed.at(day).workbook.path[0] for day in days] == ["a", "a", "b", "b", "c", "c"]


def test_without_ranges_every_period_has_the_feed_itself() -> None:
    feed = Feed.model_validate(BASE)
    assert feed.at(OF_2019) is feed


def test_the_feed_of_a_period_is_the_same_once_more() -> None:
    found = Feed.model_validate(with_ranges("workbook.path")[0]).at(OF_2019)
    assert found.at(date(1999, 1, 1)) is found


def test_what_does_not_vary_is_what_the_newest_says() -> None:
    feed = Feed.model_validate(with_ranges("workbook.path")[0])
    assert (feed.feed, feed.workbook.path) == ("sales", "c/{period:%Y}_*.xlsx")


def test_fields_with_ranges_of_their_own_are_combined() -> None:
    document = copy.deepcopy(BASE)
    for field in ("workbook.path", "fact.columns.metric.column"):
        put(document, field, with_ranges(field)[0]["workbook"]["path"] if field == "workbook.path" else None)
    document["fact"]["columns"]["metric"]["column"] = [
        {"column": "x"},
        {"from": date(2020, 1, 1), "column": "y"},
    ]
    feed = Feed.model_validate(document)
    found = [
        (feed.at(date(year, 1, 1)).workbook.path[0], feed.at(date(year, 1, 1)).fact.columns["metric"].column)
        for year in (2018, 2019, 2020, 2022)
    ]
    assert found == [("a", "x"), ("b", "x"), ("b", "y"), ("c", "y")]


def test_a_column_of_the_fact_table_may_begin_to_be_filled() -> None:
    document = copy.deepcopy(BASE)
    channel = [{"column": None}, {"from": OF_2019, "column": "Channel"}]
    document["fact"]["columns"]["channel"] = {"column": channel, "type": "text"}
    feed = Feed.model_validate(document)
    assert ["channel" in feed.at(day).fact.columns for day in (date(2018, 1, 1), OF_2019)] == [False, True]
    put(document, "fact.columns.channel", None)
    assert feed.at(date(2018, 1, 1)) == Feed.model_validate(document)


def test_a_period_before_the_first_entry_is_refused() -> None:
    document = copy.deepcopy(BASE)
    put(document, "workbook.path", [{"from": OF_2019, "path": "b/{period}.xlsx"}])
    feed = Feed.model_validate(document)
    assert feed.at(OF_2019).workbook.path == "b/{period}.xlsx"
    said = "the feed sales does not say `workbook.path` for 2018-12-31: its first entry is from 2019-01-01"
    with pytest.raises(FeedError, match=re.escape(said)):
        feed.at(date(2018, 12, 31))


BAD = {
    "[{path: a}, {path: b}]": "3: workbook.path.1: expected `from` and `path`.* in the first entry alone it may be left out",
    "[{from: 2019-01-01, path: a}, {from: 2019-01-01, path: b}]": "workbook.path.1.from: has 2019-01-01 twice",
    "[{from: 2019-01-01, path: a}, {from: 2018-01-01, path: b}]": "has 2018-01-01 after 2019-01-01",
    "[{path: a}, {from: 2019-01-01}]": "workbook.path.1: expected `from` and `path`",
    "[{path: a}, b]": "workbook.path.1: expected `from` and `path`",
    "[{path: a, until: 2019-01-01}]": "workbook.path.0: expected `from` and `path`",
    "[{from: soon, path: a}]": "workbook.path.0.from: expected a date such as 2019-01-01 .found 'soon'.",
    "[{from: null, path: a}]": "workbook.path.0: expected `from` and `path`",
    "[{path: a}, {from: 2019-01-01 10:00:00, path: b}]": "workbook.path.1.from: expected a date such as",
    "[{path: a}, {from: 2019-01-01, path: 7}]": "workbook.path: expected text .found 7.",
    "[{path: null}, {from: 2019-01-01, path: b}]": "workbook.path.0.path: says nothing: expected a `path` in every entry",
}


@pytest.mark.parametrize("written", BAD)
def test_entries_that_overlap_or_say_nothing_are_refused_in_one_line(written: str, tmp_path: Path) -> None:
    path = tmp_path / "sales.yaml"
    path.write_text(SALES.replace('"inbox/sales_{period}.xlsx"', written), encoding="utf-8")
    with pytest.raises(FeedError, match=BAD[written]) as error:
        read_feed_file(path)
    assert str(error.value).count("\n") == 0
