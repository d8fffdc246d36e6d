"""`max_change`: a workbook that changes more than that is held, and takes no published day's place unseen."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from factload.errors import FeedError, RowsRefused
from factload.release import open_release, publish_held
from factload.reports.report import read_report
from tests.integration.commands import report
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"
FIVE = [("A1", 10), ("B2", 20), ("A1", 30), ("B2", 20), ("A1", 20)]
DAY_BEFORE = date(2026, 11, 4)


def feed(place: Place, limits: Any) -> Any:
    return place.feed({"max_change": limits})


@pytest.mark.parametrize(
    ("limits", "rows", "held"),
    [
        ({"rows": "20%"}, FIVE[:4], ""),
        (
            {"rows": "20%"},
            FIVE[:3],
            "the number of rows is 3, and as it is published it is 5: a change of 40.0%",
        ),
        ({"rows": "20%"}, [*FIVE, *FIVE], "the number of rows is 10"),
        (
            {"metric": "10%"},
            [*FIVE[:4], ("A1", 31)],
            "the total of metric is 111.0000, and as it is published it is 100",
        ),
        ({"rows": "50%", "metric": "10%"}, FIVE[:4], "the total of metric is 80.0000"),
        ({"rows": "0%", "metric": "10%"}, [*FIVE[:4], ("A1", 30)], ""),
    ],
)
def test_what_differs_by_more_than_max_change_from_what_is_published_is_held(
    place: Place, limits: Any, rows: list[tuple[str, int]], held: str
) -> None:
    place.workbook(FIVE)
    place.load(feed(place, limits))
    place.workbook(rows)
    status, found = report()
    assert (status, found["state"]) == ((3, "held") if held else (0, "ready"))
    if not held:
        place.load(feed(place, limits))
        assert len(place.facts()) == len(rows)
        return
    assert (found["error"]["code"], held in found["error"]["message"]) == ("too_much_change", True)
    with pytest.raises(RowsRefused, match=r"changes up to max_change, .*factload diff.*factload release"):
        place.load(feed(place, limits))
    assert (len(place.facts()), read_report(place.url, LOAD).state) == (5, "held")
    with pytest.raises(FeedError, match=r"the newest attempt .* is 2, and attempt 1 was to be released"):
        open_release(place.feed(), PERIOD, reason="seen", by="ada", attempt=1, database=place.url)
    publish_held(place.feed({"max_change": limits}), PERIOD, reason="seen", by="ada", database=place.url)
    assert len(place.facts()) == len(rows)


def test_a_period_that_is_not_published_is_compared_with_the_one_before(place: Place) -> None:
    limits = {"rows": "20%"}
    place.workbook(FIVE, DAY_BEFORE)
    place.load(feed(place, limits), DAY_BEFORE)  # nothing to compare with
    place.workbook(FIVE[:2])
    with pytest.raises(RowsRefused, match=r"in sales@2026-11-04 it is 5"):
        place.load(feed(place, limits))
    place.workbook(FIVE)
    place.load(feed(place, limits))


def test_a_change_from_nothing_is_more_than_any_share(place: Place) -> None:
    place.workbook([], DAY_BEFORE)
    place.load(feed(place, {"rows": "500%"}), DAY_BEFORE)
    place.workbook(FIVE)
    with pytest.raises(RowsRefused, match="a change from nothing"):
        place.load(feed(place, {"rows": "500%"}))


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (
            {"metrik": "10%"},
            "names 'metrik', which is neither `rows` nor a fact column.*Did you mean metric?",
        ),
        ({"dimension_id": "10%"}, "names 'dimension_id', which is neither"),
        ({"rows": 20}, "rows: expected shares such as"),
        ({"rows": "-5%"}, "rows: expected shares such as"),
        ({}, "expected shares such as"),
        ("20%", "expected shares such as"),
    ],
)
def test_what_is_no_limit_on_change_is_told(place: Place, limits: Any, said: str) -> None:
    with pytest.raises(FeedError, match=said):
        feed(place, limits)
