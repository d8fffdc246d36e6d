"""Control totals in the report: the same number is never called different, however its type writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factload.cli.terminal import rendered
from factload.feed.file import read_feed_file
from factload.reports.report import read_report
from tests.integration.place import Place

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
