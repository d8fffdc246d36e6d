"""`on_change: new_version`: each period's rows belong to the version that says what that period's sheet does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from factload import read_report, steps
from factload.errors import FeedError, ReconciliationError, RowsRefused
from factload.feed.model import Feed
from factload.reports.report import Report
from tests.chaos.faulty_process import Fault
from tests.chaos.strikes import killed
from tests.driver import SteppedLoad
from tests.integration.changed_members import POINTS, problem_of, undo
from tests.integration.place import Place
from tests.workbooks import write_rows

HEADER = ("Code", "Customer Name", "Weight", "metric")
ATTRIBUTES = {"name": "Customer Name", "weight": "Weight"}
APRIL, MAY, JUNE, JULY = (date(2026, month, 1) for month in (4, 5, 6, 7))
FACT = """
CREATE TABLE fact_sales (dimension_id bigint NOT NULL REFERENCES dim_customer, metric numeric(18,4) NOT NULL,
    load_id text NOT NULL)
"""


def dimension(kind: str = "date") -> str:
    """The dimension's table, in which validities of a member can't overlap."""
    ranges = {"date": "daterange", "timestamp": "tsrange"}[kind]
    return f"""
DROP SCHEMA IF EXISTS factload, factload_staging CASCADE; DROP TABLE IF EXISTS fact_sales, dim_customer;
CREATE TABLE dim_customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL,
    name varchar(12), weight double precision, remark text DEFAULT 'mine', since {kind} NOT NULL, until {kind},
    UNIQUE (code, since),
    CONSTRAINT versions_apart EXCLUDE USING gist (int8range(hashtext(code), hashtext(code), '[]') WITH &&,
        {ranges}(since, until) WITH &&));
"""


MODES: dict[str, str] = {"replace": FACT, "exchange": FACT + " PARTITION BY LIST (load_id)"}


@pytest.fixture
def star(module_place: Place) -> Place:
    module_place.execute(dimension() + FACT)
    return module_place


def feed(
    star: Place, mode: Any = "replace", fact: dict[str, Any] | None = None, as_of: Any = None, **create: Any
) -> Feed:
    told = {
        "table": "dim_customer",
        "business_key": "code",
        "surrogate_key": "id",
        "column": "Code",
        "normalize": ["trim", "upper"],
        "as_of": as_of or {"valid_from": "since", "valid_to": "until"},
        "unmatched": {"create": {"attributes": ATTRIBUTES, "on_change": "new_version", **create}},
    }
    changes: dict[str, Any] = {
        "dimensions": {"customer": told},
        "fact.columns.dimension_id.dimension": "customer",
        "fact.mode": mode,
        "max_rejects": "50%",
        "keep_previous": "7d",
    }
    return star.feed(changes | (fact or {}))


def sold(code: str, name: str | None, metric: object = 1, weight: float | None = 0.1) -> tuple[Any, ...]:
    return (code, name, weight, metric)


def sheet(star: Place, period: date, rows: Iterable[tuple[Any, ...]]) -> Path:
    return write_rows(star.home / f"inbox/sales_{period}.xlsx", [HEADER, *rows])


def load(star: Place, told: Feed, period: date, *rows: tuple[Any, ...]) -> Report:
    sheet(star, period, rows)
    return read_report(star.url, star.load(told, period).load_id)


def versions(star: Place, inclusive: bool = False) -> list[tuple[Any, ...]]:
    """Those that are valid at any time, member by member."""
    lasting = "since < until" if not inclusive else "since <= until"
    return star.rows(
        f"SELECT code, name, nullif(since, '-infinity')::date, until::date FROM dim_customer WHERE coalesce({lasting}, true)"
        " ORDER BY code, since"
    )


def facts(star: Place) -> list[tuple[Any, ...]]:
    """What the version of each row says, and whether it is valid on the load's period."""
    return star.rows(
        "SELECT right(load_id, 10)::date AS period, code, name, since <= right(load_id, 10)::date"
        " AND coalesce(right(load_id, 10)::date < until, true)"
        " FROM fact_sales JOIN dim_customer ON id = dimension_id ORDER BY 1, 2, metric"
    )


@pytest.mark.parametrize("mode", MODES)
def test_rows_belong_to_the_version_that_says_what_their_sheet_does(module_place: Place, mode: str) -> None:
    star = module_place
    star.execute(dimension() + MODES[mode])
    told = feed(star, mode)
    first = load(star, told, MAY, sold("a1", "Ada"), sold("B2", "Bob"), sold("B2", "Bob", 2))
    assert (first.created, first.added, first.updated) == ({"customer": 2}, {"customer": 0}, {"customer": 0})
    star.execute("UPDATE dim_customer SET remark = 'by hand' WHERE code = 'A1'")
    later = load(star, told, JULY, sold(" A1", "Augusta"), sold("A1", "Augusta", 2), sold("B2", "Bob"))
    assert (later.created, later.added, later.updated) == ({}, {"customer": 1}, {"customer": 0})
    assert versions(star) == [
        ("A1", "Ada", None, JULY),
        ("A1", "Augusta", JULY, None),
        ("B2", "Bob", None, None),
    ]
    assert star.rows("SELECT DISTINCT remark FROM dim_customer WHERE code = 'A1'") == [("by hand",)]
    assert facts(star) == [
        (MAY, "A1", "Ada", True),
        (MAY, "B2", "Bob", True),
        (MAY, "B2", "Bob", True),
        (JULY, "A1", "Augusta", True),
        (JULY, "A1", "Augusta", True),
        (JULY, "B2", "Bob", True),
    ]
    assert star.rows("SELECT relname FROM pg_class WHERE relname LIKE 'members%'") == []


def history_of(said: Mapping[date, str]) -> list[tuple[str, date | None, date | None]]:
    """The versions that a member must have, by what each period says: computed apart from what does it."""
    periods = sorted(said.items())
    changes = [one for number, one in enumerate(periods) if not number or periods[number - 1][1] != one[1]]
    begins = [None, *(period for period, _ in changes[1:])]
    return [
        (name, begin, end) for (_, name), begin, end in zip(changes, begins, [*begins[1:], None], strict=True)
    ]


def ready_to_publish(star: Place, told: Feed, period: date, *rows: tuple[Any, ...]) -> SteppedLoad:
    sheet(star, period, rows)
    return SteppedLoad(partial(steps.open_load, told, period), told, star.url).until("publish")


def test_periods_that_are_published_at_once_end_with_the_versions_that_all_of_them_say(star: Place) -> None:
    told = feed(star)
    random = Random(16)  # noqa: S311 - nothing is to be kept secret
    keys = [f"K{number:03}" for number in range(100)]
    periods = [date(2026, month, 1) for month in range(1, 9)]
    said = {
        key: {period: random.choice("abc") for period in periods if random.random() < 0.8} for key in keys
    }
    runs = [
        ready_to_publish(
            star, told, period, *(sold(key, said[key][period]) for key in keys if period in said[key])
        )
        for period in random.sample(periods, 8)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda run: run.run("publish"), runs))
    assert {(period, code, name) for period, code, name, _ in facts(star)} == {
        (period, key, name) for key in keys for period, name in said[key].items()
    }
    assert versions(star) == [
        (key, *version) for key in keys if said[key] for version in history_of(said[key])
    ]


def test_a_period_between_two_that_agree_is_said_though_it_comes_last(star: Place) -> None:
    told = feed(star)
    says = {APRIL: "Ada", MAY: "Augusta", JUNE: "Ada"}
    for period in (JUNE, APRIL, MAY):
        load(star, told, period, sold("A1", says[period]))
    assert versions(star) == [
        ("A1", "Ada", None, MAY),
        ("A1", "Augusta", MAY, JUNE),
        ("A1", "Ada", JUNE, None),
    ]
    assert [(period, name) for period, _, name, _ in facts(star)] == sorted(says.items())
    undo(star, told, MAY)
    assert versions(star) == [("A1", "Ada", None, None)]


def test_a_corrected_workbook_makes_no_version_more(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"), sold("B2", "Bob"))
    load(star, told, JUNE, sold("A1", "Augusta"), sold("B2", "Bo"))
    corrected = load(star, told, JUNE, sold("A1", "Amy"), sold("B2", "Bob"))
    assert (corrected.added, corrected.updated) == ({"customer": 0}, {"customer": 1})
    assert versions(star) == [("A1", "Ada", None, JUNE), ("A1", "Amy", JUNE, None), ("B2", "Bob", None, None)]
    assert star.rows("SELECT count(*) FROM dim_customer WHERE code = 'A1'") == [(2,)]
    first = load(star, told, MAY, sold("A1", "Adele"), sold("B2", "Bob"))
    assert first.updated == {"customer": 1}
    assert versions(star)[0] == ("A1", "Adele", None, JUNE)
    load(star, told, JUNE, sold("B2", "Bob"))
    assert versions(star) == [("A1", "Adele", None, None), ("B2", "Bob", None, None)]


def test_a_version_that_rows_of_other_loads_belong_to_keeps_what_it_has(star: Place) -> None:
    told = feed(star)
    for period, name in ((MAY, "Ada"), (JUNE, "Augusta"), (JULY, "Augusta")):
        load(star, told, period, sold("A1", name))
    assert load(star, told, JUNE, sold("A1", "Amy")).added == {"customer": 1}
    assert versions(star) == [
        ("A1", "Ada", None, JUNE),
        ("A1", "Amy", JUNE, JULY),
        ("A1", "Augusta", JULY, None),
    ]
    assert all(valid for *_, valid in facts(star))


def test_an_undo_brings_back_the_versions_before_and_the_undo_of_it_those_after(module_place: Place) -> None:
    star = module_place
    star.execute(dimension() + MODES["exchange"])
    told = feed(star, "exchange")
    load(star, told, MAY, sold("A1", "Ada"), sold("B2", "Bob"))
    states = [(versions(star), facts(star))]
    for rows in ((sold("A1", "Augusta"), sold("B2", "Bo")), (sold("A1", "Amy"), sold("C3", "Cleo"))):
        load(star, told, JULY, *rows)
        states.append((versions(star), facts(star)))
    for expected in (1, 2, 1):
        undo(star, told, JULY)
        # A member that was made stays.
        found = [version for version in versions(star) if version[0] != "C3"]
        assert (found, facts(star)) == (
            [version for version in states[expected][0] if version[0] != "C3"],
            states[expected][1],
        )
    # The load is published for the first time again.
    star.execute("DELETE FROM factload.kept")
    load(star, told, JULY, sold("A1", "Ada"), sold("B2", "Bob"))
    assert [version for version in versions(star) if version[0] != "C3"] == states[0][0]


def test_an_undo_of_what_other_loads_build_on_leaves_their_rows_what_they_say(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"))
    load(star, told, JUNE, sold("A1", "Augusta"), sold("B2", "Bob"))
    load(star, told, JULY, sold("A1", "Augusta"), sold("B2", "Bob"))
    report = undo(star, told, JUNE)
    assert (report.state, report.updated) == ("undone", {"customer": 2})
    assert versions(star) == [
        ("A1", "Ada", None, JULY),
        ("A1", "Augusta", JULY, None),
        ("B2", "Bob", None, None),
    ]
    assert all(valid for *_, valid in facts(star))


def test_an_undo_that_others_rows_stand_against_is_refused(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"))
    load(star, told, JUNE, sold("A1", "Augusta"))
    load(star, told, JUNE, sold("A1", "Amy"))
    load(star, told, JULY, sold("A1", "Amy"))
    before = versions(star), facts(star)
    with pytest.raises(FeedError, match=r"rows of other loads belong to them.*Load the workbook"):
        undo(star, told, JUNE)
    assert (versions(star), facts(star)) == before
    undo(star, told, JULY)
    with pytest.raises(FeedError, match="or rows that are kept for the undo of such"):
        undo(star, told, JUNE)
    assert load(star, told, JUNE, sold("A1", "Augusta")).added == {"customer": 1}
    assert versions(star) == [("A1", "Ada", None, JUNE), ("A1", "Augusta", JUNE, None)]
    undo(star, told, JULY)
    assert versions(star)[1:] == [("A1", "Augusta", JUNE, JULY), ("A1", "Amy", JULY, None)]
    assert [name for _, _, name, _ in facts(star)] == ["Ada", "Augusta", "Amy"]
    with pytest.raises(
        FeedError, match="gave members of dim_customer new versions, and the feed has no dimension"
    ):
        undo(star, feed(star, on_change="keep"), JUNE)


def test_versions_that_no_load_made_stay_but_for_the_time_that_loads_speak_of(star: Place) -> None:
    told = feed(star)
    star.execute(
        "INSERT INTO dim_customer (code, name, weight, since, until) VALUES ('A1', 'old', 0.1, '-infinity', '2026-05-01'),"
        "('A1', 'own', 0.1, '2026-05-01', '2026-07-01'), ('A1', 'late', 0.1, '2026-08-01', NULL)"
    )
    owned = versions(star)
    load(star, told, MAY, sold("A1", "Ada"))
    assert versions(star) == [owned[0], ("A1", "Ada", MAY, JULY), owned[2]]
    load(star, told, JUNE, sold("A1", "own"))
    assert versions(star)[1:3] == [("A1", "Ada", MAY, JUNE), ("A1", "own", JUNE, JULY)]
    assert load(star, told, JULY, sold("A1", "Ada"), sold("B2", "Bob")).rejects == {"no_member_on_date": 1}
    for period in (JUNE, MAY):
        undo(star, told, period)
    assert versions(star)[:3] == owned


@pytest.mark.parametrize(("kind", "inclusive"), [("date", True), ("timestamp", False)])
def test_bounds_are_written_as_the_columns_have_them(module_place: Place, kind: str, inclusive: bool) -> None:
    star = module_place
    star.execute(dimension(kind) + FACT)
    if inclusive:
        star.execute("ALTER TABLE dim_customer DROP CONSTRAINT versions_apart")
    star.execute("ALTER TABLE dim_customer ALTER until SET DEFAULT 'infinity', ALTER until SET NOT NULL")
    until: Any = {"inclusive": "until"} if inclusive else "until"
    told = feed(star, as_of={"valid_from": "since", "valid_to": until})
    load(star, told, MAY, sold("A1", "Ada"))
    load(star, told, JULY, sold("A1", "Augusta"))
    ends = "2026-06-30" if inclusive else "2026-07-01 00:00:00"
    begins = "2026-07-01 00:00:00" if kind == "timestamp" else "2026-07-01"
    assert star.rows("SELECT name, since::text, until::text FROM dim_customer ORDER BY since") == [
        ("Ada", "-infinity", ends),
        ("Augusta", begins, "infinity"),
    ]
    undo(star, told, JULY)
    assert [v[1:] for v in versions(star, inclusive)] == [("Ada", None, date.max)]
    assert load(star, told, JULY, sold("A1", "Augusta")).added == {"customer": 0}


def test_with_keep_a_member_that_is_made_is_always_valid_and_gets_no_other_version(star: Place) -> None:
    told = feed(star, on_change="keep")
    for period, name in ((JUNE, "Ada"), (MAY, "Augusta")):
        load(star, told, period, sold("A1", name))
    assert versions(star) == [("A1", "Ada", None, None)]
    assert [name for _, _, name, _ in facts(star)] == ["Ada", "Ada"]


def test_rows_that_disagree_and_rejects_make_no_version(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"), sold("B2", "Bob"), sold("C3", "Cleo"))
    rows = [sold("A1", "Augusta"), sold("a1", "Amy"), sold("B2", "Boris", "none"), sold("C3", None)]
    report = load(star, told, JUNE, *rows, *[sold("C3", None) for _ in range(3)])
    assert (report.rejects, report.added) == (
        {"attributes_disagree": 2, "not_a_number": 1},
        {"customer": 1},
    )
    with pytest.raises(RowsRefused, match="rejected"):
        load(star, told, JULY, sold("A1", "Augusta"), sold("", "Bob"), sold("", "Bob"))
    assert [version for version in versions(star) if version[0] != "C3"] == [
        ("A1", "Ada", None, None),
        ("B2", "Bob", None, None),
    ]
    assert load(star, feed(star, disagree="last"), JULY, *rows[:2]).added == {"customer": 1}
    assert versions(star)[1] == ("A1", "Amy", JULY, None)


def test_a_version_that_came_between_is_what_staged_rows_belong_to(star: Place) -> None:
    told = feed(star)
    load(star, told, APRIL, sold("A1", "Ada"))
    staged = ready_to_publish(star, told, JUNE, sold("A1", "Augusta"), sold("B2", "Bob"))
    load(star, told, MAY, sold("A1", "Augusta"), sold("B2", "Bo"))
    staged.go_on("publish")
    assert versions(star) == [
        ("A1", "Ada", None, MAY),
        ("A1", "Augusta", MAY, None),
        ("B2", "Bo", None, JUNE),
        ("B2", "Bob", JUNE, None),
    ]
    assert [(code, name, valid) for period, code, name, valid in facts(star) if period == JUNE] == [
        ("A1", "Augusta", True),
        ("B2", "Bob", True),
    ]


def test_a_publication_that_is_killed_leaves_versions_and_rows_as_they_were(
    star: Place, points: Iterable[Fault] = POINTS
) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"))
    for number, point in enumerate(points):
        period = date(2026, 6, 1 + number)
        stepped = ready_to_publish(star, told, period, sold("A1", f"name {number}"))
        before = versions(star), facts(star)
        was_killed = killed(stepped.call("publish"), point)
        after = (f"name {number}", period, None)
        assert (versions(star), facts(star)) == before or versions(star)[-1][1:] == after
        assert was_killed or versions(star)[-1][1:] == after
        stepped.go_on("publish")
        assert versions(star)[-1][1:] == after
        assert len(facts(star)) == number + 2
        if not was_killed:
            return


def test_a_trigger_that_keeps_a_version_open_stops_the_publication(star: Place) -> None:
    told = feed(star)
    load(star, told, MAY, sold("A1", "Ada"))
    star.execute(
        "CREATE OR REPLACE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER stay BEFORE INSERT ON dim_customer FOR EACH ROW EXECUTE FUNCTION stay()"
    )
    with pytest.raises(
        ReconciliationError, match=r"2 versions of members of dim_customer.*1 of them.*triggers"
    ):
        load(star, told, JUNE, sold("A1", "Augusta"))
    assert versions(star) == [("A1", "Ada", None, None)]


def unique_code(star: Place) -> Feed:
    star.execute("CREATE UNIQUE INDEX ON dim_customer (code)")
    return feed(star)


def without_unique(star: Place) -> Feed:
    star.execute("ALTER TABLE dim_customer DROP CONSTRAINT dim_customer_code_since_key")
    return feed(star)


def strict(star: Place) -> Feed:
    star.execute("ALTER TABLE dim_customer ADD CONSTRAINT lasting CHECK (until > since)")
    return feed(star)


def inclusive_and_exclusive(star: Place) -> Feed:
    return feed(star, as_of={"valid_from": "since", "valid_to": {"inclusive": "until"}})


WRONG: list[tuple[Callable[[Place], Feed], str]] = [
    (unique_code, "dim_customer has a unique index on (code), in which the versions of a member would be the same"),
    (strict, "the constraint lasting of dim_customer refuses a version that is valid at no time"),
    (inclusive_and_exclusive, "versions_apart of dim_customer refuses a version that is valid at no time"),
    (without_unique, "dim_customer has no unique index on its business key and since (code, since)"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "words"), WRONG, ids=[words[:30] for _, words in WRONG])
def test_what_can_have_no_versions_is_told_before_anything_is_read(
    star: Place, told: Callable[[Place], Feed], words: str
) -> None:
    sheet(star, MAY, [])
    assert words in problem_of(star, told, MAY)
