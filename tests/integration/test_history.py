"""What the Loads page reads: days, trends, one load in full, rejects by the page. On real loads in PostgreSQL."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from factload.cli.terminal import rendered
from factload.errors import FactloadError
from factload.ledger.rejects import rejects_by_reason
from factload.pipeline import run_load
from factload.progress import Quiet
from factload.reports.detail import load_detail
from factload.reports.history import first_and_newest, loads_between, outlying, recent_loads
from factload.reports.months import Month, months_of
from factload.reports.reject_pages import Place as PageEnd
from factload.reports.reject_pages import page_of_rejects
from factload.reports.report import read_report, read_status
from tests.integration.place import PERIOD, Place

NEXT_DAY = PERIOD + timedelta(days=1)
GOOD = [("A1", 1.5), ("B2", 2)]
MIXED = [
    ("A1", 1),
    ("nobody", 2),
    ("B2", "<script>alert(1)</script>"),
    (None, 3),
    ("other", 4),
    ("50% off", 5),
]


def run(
    place: Place,
    rows: list[tuple[Any, ...]],
    period: date = PERIOD,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Load these rows; the error that a refused load ends with is in the ledger."""
    place.workbook(rows, period)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place.home)
        try:
            run_load(place.feed(changes), period, database=place.url, progress=Quiet())
        except FactloadError:
            return


def test_days(place: Place) -> None:
    run(place, GOOD)
    run(place, MIXED, NEXT_DAY, {"max_rejects": 0})
    with place.engine.connect() as connection:
        found = loads_between(connection, ["sales", "other"], PERIOD, NEXT_DAY)
        assert [
            (d.period, d.state, d.epoch, d.published_epoch, d.source, d.rejected, d.published) for d in found
        ] == [
            (PERIOD, "published", 1, 1, 2, 0, 2),
            (NEXT_DAY, "held", 1, None, 6, 5, 0),
        ]
        assert found[1].error_code == "too_many_rejects"
        assert loads_between(connection, ["other"], PERIOD, NEXT_DAY) == []
        assert loads_between(connection, ["sales"], NEXT_DAY, NEXT_DAY) == found[1:]
        assert first_and_newest(connection, ["sales", "other"]) == {"sales": (PERIOD, PERIOD)}


def test_months_have_exact_totals_of_what_stands(place: Place) -> None:
    run(place, GOOD)
    run(place, GOOD, NEXT_DAY)
    run(place, [("A1", 7)], date(2026, 12, 1))
    run(place, MIXED, date(2026, 12, 2), {"max_rejects": 0})  # held: nothing of it stands
    large = 10**30
    place.execute(f"""
        UPDATE factload.attempts SET verified_as = 'stands', published_totals = '{{"metric": "{large}.25"}}'
        WHERE load_id = 'sales@{PERIOD}';
        UPDATE factload.attempts SET verified_as = 'differs' WHERE load_id = 'sales@{NEXT_DAY}'""")
    with place.engine.connect() as connection:
        found = list(months_of(connection, "sales", date(2026, 11, 1)))
        assert list(months_of(connection, "other", date(2026, 11, 1))) == []
    assert found == [
        Month(date(2026, 12, 1), days=1, rows=1, totals={"metric": "7.0000"}),
        Month(date(2026, 11, 1), 2, 4, {"metric": f"{large + 3}.7500"}, verified=1, altered=1),
    ]


def test_a_load_that_began_a_day_ago_and_never_ended_is_stalled(place: Place) -> None:
    run(place, GOOD)
    place.execute("UPDATE factload.attempts SET state = 'loading', ended_at = NULL")
    with place.engine.connect() as connection:
        [found] = loads_between(connection, ["sales"], PERIOD, PERIOD)
    assert found.seconds() is None
    assert found.shown_state(found.opened_at + timedelta(hours=23)) == "running"
    assert found.shown_state(found.opened_at + timedelta(hours=25)) == "stalled"


def test_a_failed_reload_leaves_the_earlier_attempt_published(place: Place) -> None:
    run(place, GOOD)
    run(place, MIXED, changes={"max_rejects": 0})
    with place.engine.connect() as connection:
        detail = load_detail(connection, "sales", f"sales@{PERIOD}")
        assert detail is not None
        assert (detail.summary.state, detail.summary.epoch, detail.summary.published_epoch) == ("held", 2, 1)
        assert [(a.epoch, a.state, a.published_rows) for a in detail.attempts] == [
            (2, "held", 0),
            (1, "published", 2),
        ]
        assert load_detail(connection, "other", f"sales@{PERIOD}") is None


def test_the_trend_is_of_loads_that_were_counted_oldest_first(place: Place) -> None:
    for day in range(4):
        run(place, GOOD * (day + 1), PERIOD + timedelta(days=day))
    run(place, [("A1", 1)], PERIOD + timedelta(days=4), {"fact.columns.metric.column": "nowhere"})
    with place.engine.connect() as connection:
        assert [load.source for load in recent_loads(connection, "sales")] == [2, 4, 6, 8]
        assert [load.source for load in recent_loads(connection, "sales", limit=2)] == [6, 8]
        until = PERIOD + timedelta(days=1)
        assert [load.source for load in recent_loads(connection, "sales", until=until)] == [2, 4]


def test_a_load_in_full(place: Place) -> None:
    run(place, GOOD * 2_100)
    with place.engine.connect() as connection:
        detail = load_detail(connection, "sales", f"sales@{PERIOD}")
    assert detail is not None
    assert [(p.first_row, p.source, p.rejected, p.staged, p.loaded_epoch) for p in detail.partitions] == [
        (2, 2000, 0, 2000, 1),
        (2002, 2000, 0, 2000, 1),
        (4002, 200, 0, 200, 1),
    ]
    assert detail.rows_done() == 4200
    assert {p.worker for p in detail.partitions} == {socket.gethostname()}
    assert all(p.rows_per_second and p.started_at and p.finished_at for p in detail.partitions)
    assert {step.step for step in detail.steps} >= {
        "open_load",
        "split_workbook",
        "load_partition",
        "publish",
    }
    assert detail.attempts[0].source_totals == detail.attempts[0].published_totals == {"metric": "7350.0000"}
    assert detail.summary.reject_share() == 0
    assert (detail.summary.seconds() or 0) > 0


def test_reports_name_the_workers_where_there_are_several(place: Place) -> None:
    run(place, GOOD * 2_100)
    assert "partitions by worker" not in rendered(read_report(place.url, f"sales@{PERIOD}"))
    place.execute("UPDATE factload.partitions SET worker = CASE first_row WHEN 2 THEN 'one' ELSE 'other' END")
    assert "partitions by worker: one (1), other (2)" in rendered(read_report(place.url, f"sales@{PERIOD}"))
    assert [line["workers"] for line in read_status(place.url, "sales")] == [["one", "other"]]


def test_progress_counts_the_partitions_that_are_staged(place: Place) -> None:
    run(place, GOOD * 2_100)
    place.execute(
        "UPDATE factload.partitions SET loaded_epoch = NULL, staged_rows = NULL WHERE first_row = 2002"
    )
    with place.engine.connect() as connection:
        detail = load_detail(connection, "sales", f"sales@{PERIOD}")
    assert detail is not None
    assert detail.rows_done() == 2200
    assert [p.rows_per_second is None for p in detail.partitions] == [False, True, False]


def test_a_later_attempt_has_done_nothing_before_it_has_read_the_workbook(place: Place) -> None:
    """The partitions of the same content are an earlier attempt's until then; afterwards each counts by itself."""
    run(place, GOOD * 2_100)
    load_id = f"sales@{PERIOD}"
    names = "load_id, content, workbook, workbook_sha256, workbook_bytes"
    place.execute(
        f"INSERT INTO factload.attempts (epoch, state, {names}) SELECT 2, 'loading', {names} FROM factload.attempts"
    )
    place.execute("UPDATE factload.loads SET epoch = 2")

    def seen() -> tuple[bool, int, list[bool]]:
        with place.engine.connect() as connection:
            detail = load_detail(connection, "sales", load_id)
        assert detail is not None
        return detail.is_split, detail.rows_done(), [partition.done for partition in detail.partitions]

    assert seen() == (False, 0, [False, False, False])
    ran = "INSERT INTO factload.steps (load_id, epoch, step, item, started_at, finished_at, peak_rss_mb) SELECT "
    place.execute(f"{ran} '{load_id}', 2, 'split_workbook', '', now(), now(), 1")
    assert seen() == (True, 0, [False, False, False])
    place.execute(
        f"{ran} '{load_id}', 2, 'load_partition', label, now(), now(), 1 FROM factload.partitions WHERE first_row = 2002"
    )
    assert seen() == (True, 2000, [False, True, False])


def shift(place: Place, hours: float, since: str) -> None:
    """Let the steps from ``since`` on, and the end, come so much later."""
    later = f"+ interval '{hours} hours'"
    place.execute(
        f"UPDATE factload.steps SET started_at = started_at {later}, finished_at = finished_at {later} "
        f"WHERE started_at >= (SELECT started_at FROM factload.steps WHERE step = '{since}')"
    )
    place.execute(f"UPDATE factload.attempts SET ended_at = ended_at {later}")


@pytest.mark.parametrize("hours", [0.2, 1, 30])
def test_a_pause_in_which_nothing_works_is_no_part_of_how_long_a_load_took(
    place: Place, hours: float
) -> None:
    run(place, GOOD)
    with place.engine.connect() as connection:
        [before] = recent_loads(connection, "sales")
    assert before.paused == 0
    shift(place, hours, since="publish")
    with place.engine.connect() as connection:
        [found] = recent_loads(connection, "sales")
        detail = load_detail(connection, "sales", f"sales@{PERIOD}")
    assert detail is not None
    assert found == detail.summary
    # The moment between the two steps goes with the pause.
    assert found.paused == pytest.approx(hours * 3600, abs=1)
    assert found.seconds() == pytest.approx(before.seconds(), abs=1)


def test_a_long_step_is_no_pause(place: Place) -> None:
    run(place, GOOD)
    place.execute(
        "UPDATE factload.steps SET started_at = started_at - interval '1 hour' WHERE step = 'split_workbook'"
    )
    place.execute(
        "UPDATE factload.steps SET started_at = started_at - interval '61 minutes' WHERE step = 'open_load'"
    )
    place.execute(
        "UPDATE factload.steps SET finished_at = finished_at - interval '1 hour' WHERE step = 'open_load'"
    )
    place.execute("UPDATE factload.attempts SET opened_at = opened_at - interval '61 minutes'")
    with place.engine.connect() as connection:
        [found] = recent_loads(connection, "sales")
    assert found.paused == 0
    assert (found.seconds() or 0) > 3600


def test_a_load_that_a_person_released_is_told_apart(place: Place) -> None:
    run(place, GOOD)
    with place.engine.connect() as connection:
        [found] = loads_between(connection, ["sales"], PERIOD, PERIOD)
    assert found.shown_state(datetime.now(UTC)) == "published"
    place.execute("UPDATE factload.attempts SET released_by = 'a', released_at = now(), release_reason = 'b'")
    with place.engine.connect() as connection:
        [found] = loads_between(connection, ["sales"], PERIOD, PERIOD)
    assert found.shown_state(datetime.now(UTC)) == "released"


def rows_of(place: Place, **asked: Any) -> list[int]:
    with place.engine.connect() as connection:
        return [row.row for row in page_of_rejects(connection, f"sales@{PERIOD}", **asked).rows]


def test_rejects_are_searched_and_paged_in_the_database(place: Place) -> None:
    run(place, MIXED)
    with place.engine.connect() as connection:
        assert rejects_by_reason(connection, f"sales@{PERIOD}") == {
            "unmatched_key": 3,
            "blank_key": 1,
            "not_a_number": 1,
        }
        assert page_of_rejects(connection, f"sales@{PERIOD}", limit=5).next is None
        pages: list[list[int]] = []
        end: PageEnd | None = None
        while not pages or end is not None:
            page = page_of_rejects(connection, f"sales@{PERIOD}", after=end, limit=2)
            pages.append([row.row for row in page.rows])
            end = page.next
    assert pages == [[3, 4], [5, 6], [7]]


SEARCHES: list[tuple[dict[str, str], list[int]]] = [
    ({"reason": "unmatched_key"}, [3, 6, 7]),
    ({"search": "NOBODY"}, [3]),  # in either case
    ({"search": "<script>"}, [4]),
    ({"search": "50%"}, [7]),  # a percent sign is one
    ({"search": "%"}, [7]),
    ({"search": "_"}, [3, 5, 6, 7]),  # the column business_key
    ({"search": "metric"}, [4]),
    ({"search": "6"}, [6]),  # a row
    ({"search": "other", "reason": "not_a_number"}, []),
]


def test_search(place: Place) -> None:
    run(place, MIXED)
    assert [(asked, rows_of(place, **asked)) for asked, _ in SEARCHES] == SEARCHES


def test_rejects_of_a_workbook_since_corrected_are_not_shown(place: Place) -> None:
    run(place, MIXED)
    run(place, [("A1", 1), ("gone", 2)])
    assert rows_of(place) == [3]


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ([10, 11, 9, 10, 12, 10, 9, 40], "       x"),
        ([10, 11, 9, 10, 12, 10, 9, 13], "        "),
        ([10, 10, 10, 10, 10, 10, 10, 11], "       x"),  # more than half are equal: by the mean deviation
        ([10, 10, 10, 10, 10, 10, 10, 10], "        "),
        ([10, 11, 9, 10, 12, 10, 40], "       "),  # seven are too few
        ([None, 10, 11, 9, 10, 12, 10, 9, 0.5], "        x"),
    ],
)
def test_outliers(values: list[float | None], flags: str) -> None:
    assert outlying(values) == [flag == "x" for flag in flags]


def test_moments_are_aware(place: Place) -> None:
    run(place, GOOD)
    with place.engine.connect() as connection:
        [found] = loads_between(connection, ["sales"], PERIOD, PERIOD)
    assert abs(datetime.now(UTC) - found.opened_at) < timedelta(minutes=5)
