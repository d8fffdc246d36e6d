"""`min_rows`: a workbook with fewer rows than that, or without any, does not take the place of a published day."""

from __future__ import annotations

from typing import Any

import pytest

from factload.errors import FeedError, RowsRefused
from factload.release import publish_held
from factload.reports.report import read_report
from tests.integration.commands import report
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"
FIVE = [("A1", 1), ("B2", 2), ("A1", 3), ("B2", 4), ("A1", 5)]


def feed(place: Place, least: int | str | None, mode: Any = None) -> Any:
    changes: dict[str, Any] = {} if least is None else {"min_rows": least}
    if mode:
        changes["fact.mode"] = mode
    return place.feed(changes)


def rows_published(place: Place) -> int:
    return len(place.facts())


@pytest.mark.parametrize(
    ("least", "rows", "held"),
    [
        (None, [], True),
        (None, FIVE[:1], False),
        (0, [], False),
        (3, FIVE[:3], False),
        (3, FIVE[:2], True),
        ("60%", FIVE[:3], False),
        ("60%", FIVE[:2], True),
        ("100%", FIVE[:4], True),
        ("100%", [*FIVE, ("A1", 6)], False),
        (3, [("A1", 1), ("nobody", 1), ("nobody", 2), ("nobody", 3)], True),
    ],
)
def test_what_is_fewer_than_min_rows_is_held(
    place: Place, least: int | str | None, rows: list[tuple[str, int]], held: bool
) -> None:
    place.workbook(FIVE)
    place.load(feed(place, least))
    place.workbook(rows)
    status, found = report()
    assert (status, found["state"]) == ((3, "held") if held else (0, "ready"))
    if not held:
        place.load(feed(place, least))
        assert rows_published(place) == len([row for row in rows if row[0] != "nobody"])
        return
    assert found["error"]["code"] == "too_few_rows"
    with pytest.raises(
        RowsRefused, match=r"left to publish, and 5 rows of this load are published now.*release"
    ):
        place.load(feed(place, least))
    assert (rows_published(place), read_report(place.url, LOAD).state) == (5, "held")


def test_a_first_load_may_be_empty_unless_a_number_is_asked_for(place: Place) -> None:
    place.workbook([])
    for least in (1, 10):
        with pytest.raises(RowsRefused, match=r"0 rows are left to publish\. Expected: at least min_rows"):
            place.load(feed(place, least))
    for share in (None, "50%"):
        place.load(feed(place, share), reload=True)
    assert rows_published(place) == 0


def test_a_held_load_is_released_by_a_person_for_this_attempt_alone(place: Place) -> None:
    place.workbook(FIVE)
    place.load()
    place.workbook([])
    with pytest.raises(RowsRefused):
        place.load()
    publish_held(place.feed(), PERIOD, reason="a holiday", by="ada", database=place.url)
    assert rows_published(place) == 0
    assert (read_report(place.url, LOAD).released or {})["reason"] == "a holiday"
    with pytest.raises(FeedError, match="is published"):
        publish_held(place.feed(), PERIOD, reason="again", by="ada", database=place.url)


def test_an_upsert_takes_nothing_away_so_no_rows_are_no_loss(place: Place) -> None:
    place.execute("ALTER TABLE fact_sales ADD UNIQUE (dimension_id)")
    place.workbook(FIVE[:2])
    place.load(feed(place, None, {"upsert": ["dimension_id"]}))
    place.workbook([])
    place.load(feed(place, None, {"upsert": ["dimension_id"]}))
    assert rows_published(place) == 2


def test_too_many_rejects_come_first_when_both_limits_are_broken(place: Place) -> None:
    place.workbook(FIVE)
    place.load(feed(place, 5))
    place.workbook([("nobody", 1)])
    with pytest.raises(RowsRefused, match="1 of 1 rows were rejected"):
        place.load(feed(place, 5))
    publish_held(feed(place, 5), PERIOD, reason="both are known", by="ada", database=place.url)
    assert rows_published(place) == 0
