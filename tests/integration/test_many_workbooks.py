"""Several workbooks and sheets as one load: the files before, the fact table and the ledger after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from factload import steps
from factload.errors import WorkbookError
from factload.feed.model import Feed
from factload.load import Load
from factload.pipeline import run_load
from factload.progress import Quiet
from factload.reports.report import read_report
from tests.integration.place import PERIOD, Place
from tests.workbooks import first_sheet

LOAD = "sales@2026-11-05"
ALL = {"workbook.path": "inbox/{period}/*.xlsx", "workbook.sheet": "*"}


def write(place: Place, name: str, **sheets: list[tuple[Any, ...]]) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(first_sheet(workbook))
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in [("business_key", "metric"), *rows]:
            sheet.append(row)
    path = place.home / f"inbox/2026-11-05/{name}"
    path.parent.mkdir(exist_ok=True)
    workbook.save(path)
    return path


def load(place: Place, feed: Feed | None = None, **options: Any) -> Load:
    return run_load(feed or place.feed(ALL), PERIOD, database=place.url, progress=Quiet(), **options)


@pytest.fixture
def north_and_south(place: Place) -> Place:
    write(place, "south.xlsx", Facts=[("B2", 20), ("nobody", 1)])
    write(place, "north.xlsx", Facts=[("A1", 10), ("A1", "n/a")], More=[("B2", 30)])
    return place


def test_all_rows_are_one_load_and_the_ledger_knows_where_each_came_from(north_and_south: Place) -> None:
    place = north_and_south
    done = load(place)
    assert place.facts() == [(1, "10.0000", LOAD), (2, "20.0000", LOAD), (2, "30.0000", LOAD)]
    assert read_report(place.url, LOAD).rows == {
        "source": 5, "blank": 0, "rejected": 2, "staged": 3, "published": 3
    }  # fmt: skip
    names = ["inbox/2026-11-05/north.xlsx", "inbox/2026-11-05/south.xlsx"]
    assert place.rows("SELECT label, workbook, sheet FROM factload.partitions ORDER BY 1") == [
        ("north.xlsx Facts 2–3", names[0], "Facts"),
        ("north.xlsx More 2–2", names[0], "More"),
        ("south.xlsx Facts 2–3", names[1], "Facts"),
    ]
    found = [(r.workbook, r.address, r.reason) for r in place.rejects()]
    assert found == [(names[0], "Facts!B3", "not_a_number"), (names[1], "Facts!A3", "unmatched_key")]
    [(workbook, sources, size)] = place.rows(
        "SELECT workbook, sources, workbook_bytes FROM factload.attempts"
    )
    assert workbook == "inbox/2026-11-05/*.xlsx"
    assert [source["path"] for source in sources] == names
    assert sum(source["bytes"] for source in sources) == size
    assert Load.from_json(json.loads(json.dumps(done.to_json()))) == done


def test_the_same_workbooks_are_left_alone_and_one_more_or_less_replaces(north_and_south: Place) -> None:
    place = north_and_south
    load(place)
    before = place.facts()
    assert load(place).already_published
    write(place, "west.xlsx", Facts=[("A1", 40)])
    load(place)
    assert place.facts() == sorted([*before, (1, "40.0000", LOAD)])
    (place.home / "inbox/2026-11-05/west.xlsx").unlink()
    load(place)
    assert place.facts() == before
    write(place, "south.xlsx", Facts=[("B2", 21)])
    load(place)
    assert place.facts() == [(1, "10.0000", LOAD), (2, "21.0000", LOAD), (2, "30.0000", LOAD)]


def test_a_pattern_instead_of_the_feed_s_own_workbook(north_and_south: Place) -> None:
    place = north_and_south
    load(place, place.feed(), workbook="inbox/2026-11-05/*th.xlsx")
    assert place.facts() == [(1, "10.0000", LOAD), (2, "20.0000", LOAD)]


def test_a_copy_among_them_loads_nothing(north_and_south: Place) -> None:
    place = north_and_south
    folder = place.home / "inbox/2026-11-05"
    (folder / "south (1).xlsx").write_bytes((folder / "south.xlsx").read_bytes())
    with pytest.raises(WorkbookError, match=r"south \(1\).xlsx and .*south.xlsx are the same workbook"):
        load(place)
    assert place.facts() == []


def test_a_workbook_overwritten_in_the_middle_of_a_load_publishes_nothing_until_it_runs_again(
    north_and_south: Place,
) -> None:
    place = north_and_south
    feed = place.feed(ALL)
    other = write(place, "other.tmp.xlsx", Facts=[("B2", 99)]).rename(place.home / "inbox/corrected.xlsx")
    opened = steps.open_load(feed, PERIOD, database=place.url)

    def overwrite(_: int) -> None:
        (place.home / "inbox/2026-11-05/north.xlsx").write_bytes(other.read_bytes())

    with pytest.raises(WorkbookError, match=r"north.xlsx was overwritten while it was read") as caught:
        steps.split_workbook(opened, feed, database=place.url, progress=overwrite)
    steps.record_failure(opened, caught.value, database=place.url)
    ended = read_report(place.url, LOAD)
    assert (ended.state, ended.error and ended.error["code"]) == ("refused", "workbook_changed")
    assert place.rows("SELECT 1 FROM factload.partitions") == []
    load(place)
    assert place.facts() == [(2, "20.0000", LOAD), (2, "99.0000", LOAD)]
