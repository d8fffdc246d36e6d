"""A report shows the steps in the order in which a load takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from factload.feed.file import read_feed_file
from factload.load import Split
from factload.pipeline import steps_in_order
from factload.reports.report import STEPS

SALES = Path(__file__).parents[2] / "include/feeds/sales.yaml"


def test_a_report_has_the_steps_in_the_order_of_the_pipeline() -> None:
    returned: dict[str, list[Any]] = {"extract_dimension_map": [], "split_workbook": [Split((), ())]}
    in_order = steps_in_order(read_feed_file(SALES), returned)
    assert ("open_load", *(step.name for side_by_side in in_order for step in side_by_side)) == STEPS
