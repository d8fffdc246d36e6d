"""Control totals in the report: the same number is never called different, however its type writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factload.cli.terminal import rendered
from factload.feed.file import read_feed_file
from factload.reports.report import read_report
from tests.integration.commands import report
from tests.integration.place import Place
from tests.workbooks import write_rows

_FEED = """
feed: sales
workbook: {{path: "inbox/sales_{{period}}.xlsx", sheet: Facts}}
dimensions:
  product: {{table: dim_product, business_key: business_key, surrogate_key: primary_synthetic_key, column: business_key}}
fact:
  connection: warehouse
  table: fact_sums
  columns:
    dimension_id: {{dimension: product}}
    m: {{column: metric, type: "{declared}"}}
  mode: replace
  load_column: load_id
max_rejects: 80%
"""
_LARGE = 9 * 10**33  # two of them have more digits than any number of a column


@pytest.mark.parametrize(
    ("declared", "in_table", "values", "total"),
    [
        ("smallint", "smallint", [5, -3], "2"),
        ("integer", "integer", [5, 7, None], "12"),
        ("integer", "bigint", [2**31 - 1, 1], "2147483648"),
        ("bigint", "bigint", [5, 7], "12"),
        ("integer", "integer", [4, -4], "0"),
        ("numeric(18,4)", "numeric(18,4)", [5.25, -5.25, 7, -7], "0.0000"),
        ("numeric(18,4)", "numeric(20,6)", [1.5, 2], "3.5000"),
        ("numeric(18,4)", "numeric", [1.5, 2], "3.5000"),
        ("numeric(10,0)", "numeric(10,0)", [3, 4], "7"),
        ("numeric(18,4)", "numeric(18,4)", [None, None], None),
        ("numeric(38,4)", "numeric(38,4)", [_LARGE, _LARGE, 0.0001], "18" + "0" * 33 + ".0001"),
    ],
)
def test_equal_totals_are_reported_equal_in_every_type(
    place: Place, declared: str, in_table: str, values: list[Any], total: str | None
) -> None:
    place.execute(f"CREATE TABLE fact_sums (dimension_id bigint, m {in_table}, load_id text)")
    place.workbook([("A1", value) for value in values])
    feed_file = place.home / "include/feeds/sales.yaml"
    feed_file.write_text(_FEED.format(declared=declared), encoding="utf-8")
    load = place.load(read_feed_file(feed_file))

    report = read_report(place.url, load.load_id)
    shown = report.control_totals["m"]
    assert shown["source"] == shown["published"]
    if total is not None:
        assert shown["source"] == total
    [line] = [line for line in rendered(report).splitlines() if line.strip().startswith("m ")]
    assert line.split() == ["m", shown["source"], shown["published"], "equal"]


def test_of_a_load_without_staged_rows_no_total_is_called_different(place: Place, tmp_path: Path) -> None:
    place.workbook([("nobody", 1.5)])
    feed = place.feed({"max_rejects": "100%"})
    load = place.load(feed)
    assert "different" not in rendered(read_report(place.url, load.load_id))


def test_a_check_says_the_same_total_as_the_load_whatever_its_size(place: Place) -> None:
    place.execute("CREATE TABLE fact_sums (dimension_id bigint, m numeric(38,4), load_id text)")
    header = ("business_key", "metric")
    for number in (1, 2):
        write_rows(
            place.home / f"inbox/{number}_2026-11-05.xlsx", [header, ("A1", _LARGE), ("A1", number)], "Facts"
        )
    feed_file = place.home / "include/feeds/sales.yaml"
    feed_file.write_text(
        _FEED.format(declared="numeric(38,4)").replace("sales_{period}", "*_{period}"), encoding="utf-8"
    )
    place.load(read_feed_file(feed_file))
    place.execute("UPDATE fact_sums SET m = 0.0001 WHERE m = 1")

    _, checked = report("--url", place.url)
    total = "18" + "0" * 32 + "3.0000"
    assert checked["change"]["totals"] == {"m": {"before": total, "after": total}}
