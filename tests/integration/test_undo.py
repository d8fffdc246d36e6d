"""`factload undo`: the rows that a load had before its last change stand again, exactly, or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from factload.errors import FeedError, ReconciliationError
from factload.feed.model import Feed
from factload.release import open_release
from factload.reports.report import read_report, read_status
from factload.undo import undo_load
from tests.feeds import ABSENT
from tests.integration.commands import factload
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"
KEEPING = {"keep_previous": "7d"}
EXCHANGE = {"fact.mode": "exchange", **KEEPING}
FIRST = [("A1", 1), ("B2", 2)]
SECOND = [("A1", 10), ("B2", 20), ("00123", 30)]


def undo(place: Place, feed: Feed | None = None, reason: str = "wrong file") -> None:
    undo_load(feed or place.feed(), PERIOD, reason=reason, by="ada", database=place.url)


def whole(place: Place) -> list[tuple[Any, ...]]:
    """Every column of every fact row, those that the table fills itself too."""
    return place.rows("SELECT id, dimension_id, metric::text, load_id FROM fact_sales ORDER BY id")


def publish(place: Place, feed: Feed, *workbooks: Sequence[tuple[Any, ...]]) -> list[list[tuple[Any, ...]]]:
    """Publish one workbook after the other; all fact rows after each."""
    states = []
    for rows in workbooks:
        place.workbook(rows)
        place.load(feed)
        states.append(whole(place))
    return states


@pytest.fixture(params=["replace", "exchange"])
def keeping(place: Place, request: pytest.FixtureRequest) -> tuple[Place, Feed]:
    """A place, and a feed that keeps the rows before, in both modes that can."""
    if request.param == "exchange":
        place.partition()
        return place, place.feed(EXCHANGE)
    return place, place.feed(KEEPING)


def kept_tables(place: Place) -> int:
    [(tables,)] = place.rows("SELECT count(*) FROM pg_class WHERE relname LIKE 'kept_%' AND relkind = 'r'")
    return int(tables)


def test_an_undo_brings_back_every_value_and_the_undo_of_it_too(keeping: tuple[Place, Feed]) -> None:
    place, feed = keeping
    first, second = publish(place, feed, FIRST, SECOND)
    for expected in (first, second, first, second):
        undo(place, feed)
        assert whole(place) == expected
        assert kept_tables(place) == 1
        assert factload("verify", "--json").returncode == 0


def test_a_first_publication_is_undone_to_nothing_and_back(keeping: tuple[Place, Feed]) -> None:
    place, feed = keeping
    [first] = publish(place, feed, FIRST)
    undo(place, feed)
    assert whole(place) == []
    assert read_report(place.url, LOAD).state == "undone"
    assert "readers see nothing of it" in read_status(place.url, None)[0]["next"]
    with pytest.raises(FeedError, match=f"{LOAD} is undone. Expected: a load that is held"):
        open_release(feed, PERIOD, reason="seen", by="ada", database=place.url)
    undo(place, feed)
    assert whole(place) == first
    assert read_report(place.url, LOAD).state == "published"


def test_a_publication_without_rows_is_undone_and_back(place: Place) -> None:
    feed = place.feed(KEEPING)
    publish(place, feed, [])
    for state in ("undone", "published", "undone"):
        undo(place, feed)
        assert (read_report(place.url, LOAD).state, whole(place)) == (state, [])


def test_a_load_that_was_undone_is_loaded_again_by_the_next_run(keeping: tuple[Place, Feed]) -> None:
    place, feed = keeping
    publish(place, feed, FIRST)
    undo(place, feed)
    place.load(feed)
    assert [row[1:3] for row in whole(place)] == [(1, "1.0000"), (2, "2.0000")]
    assert kept_tables(place) == 0
    undo(place, feed)
    assert whole(place) == []


def test_the_workbook_that_was_undone_is_not_what_is_published(place: Place) -> None:
    feed = place.feed(KEEPING)
    [first] = publish(place, feed, FIRST)
    published = (place.home / "inbox/sales_2026-11-05.xlsx").read_bytes()
    [second] = publish(place, feed, SECOND)
    undo(place, feed)
    (place.home / "inbox/sales_2026-11-05.xlsx").write_bytes(published)
    assert place.load(feed).already_published
    place.workbook(SECOND)
    assert not place.load(feed).already_published
    assert [row[1:] for row in whole(place)] == [row[1:] for row in second]
    undo(place, feed)
    assert whole(place) == first


def test_who_undid_and_why_stays_in_the_ledger(place: Place) -> None:
    feed = place.feed(KEEPING)
    publish(place, feed, FIRST, SECOND)
    undo(place, feed, "the wrong month")
    assert place.rows(
        "SELECT epoch, state, undoes, undone_by, undo_reason FROM factload.attempts ORDER BY epoch DESC LIMIT 1"
    ) == [(3, "published", 2, "ada", "the wrong month")]
    assert (read_report(place.url, LOAD).undone or {})["reason"] == "the wrong month"


def test_rejects_come_back_with_their_rows(place: Place) -> None:
    feed = place.feed(KEEPING)
    publish(place, feed, [*FIRST, ("nobody", 3)], SECOND)
    undo(place, feed)
    assert read_report(place.url, LOAD).rejects == {"unmatched_key": 1}


def test_without_keep_previous_only_a_first_publication_is_undone(place: Place) -> None:
    feed = place.feed()
    _, second = publish(place, feed, FIRST, SECOND)
    with pytest.raises(
        FeedError, match=r"had published other rows before, and they are not kept.*keep_previous"
    ):
        undo(place, feed)
    assert whole(place) == second


def test_rows_kept_before_are_not_those_of_a_later_change(place: Place) -> None:
    publish(place, place.feed(KEEPING), FIRST, SECOND)
    publish(place, place.feed(), FIRST)
    assert kept_tables(place) == 0
    with pytest.raises(FeedError, match="they are not kept"):
        undo(place)


def test_rows_are_kept_until_their_time_is_over(place: Place) -> None:
    feed = place.feed(KEEPING)
    publish(place, feed, FIRST, SECOND)
    place.load(feed, reload=True)
    assert kept_tables(place) == 1
    place.execute("UPDATE factload.kept SET keep_until = now() - interval '1 minute'")
    place.workbook(FIRST)
    from factload import steps

    steps.open_load(feed, PERIOD, database=place.url)
    assert (kept_tables(place), place.rows("SELECT count(*) FROM factload.kept")) == (0, [(0,)])


@pytest.mark.parametrize(
    ("mode", "change", "error", "said"),
    [
        (
            "replace",
            "DELETE FROM fact_sales WHERE metric = 10",
            FeedError,
            "2 of its rows are in fact_sales, and 3",
        ),
        (
            "exchange",
            "UPDATE factload_staging.{kept} SET metric = 5",
            ReconciliationError,
            "are not those that attempt 1 published",
        ),
        (
            "replace",
            "DELETE FROM factload_staging.{kept}",
            ReconciliationError,
            "are not those that attempt 1 published",
        ),
        ("exchange", "DELETE FROM fact_sales WHERE metric = 10", FeedError, "2 of its rows are in"),
        ("exchange", "UPDATE fact_sales SET metric = 11 WHERE metric = 10", FeedError, r"is off by 1\.0000"),
        ("replace", "ALTER TABLE fact_sales ADD note text", FeedError, "has other columns"),
        ("exchange", "ALTER TABLE fact_sales ADD note text", FeedError, "has other columns"),
    ],
)
def test_what_would_not_be_exact_is_refused(
    place: Place, mode: str, change: str, error: type[Exception], said: str
) -> None:
    if mode == "exchange":
        place.partition()
    feed = place.feed({**KEEPING, "fact.mode": mode})
    publish(place, feed, FIRST, SECOND)
    [(kept,)] = place.rows("SELECT table_name FROM factload.kept")
    place.execute(change.format(kept=kept))
    before = place.facts()
    with pytest.raises(error, match=said):
        undo(place, feed)
    assert place.facts() == before


def test_a_trigger_that_changes_what_comes_back_is_found(place: Place) -> None:
    feed = place.feed(KEEPING)
    _, second = publish(place, feed, FIRST, SECOND)
    place.execute(
        "CREATE FUNCTION one_more() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.metric := NEW.metric + 1; RETURN NEW; END $$"
    )
    place.execute(
        "CREATE TRIGGER one_more BEFORE INSERT ON fact_sales FOR EACH ROW EXECUTE FUNCTION one_more()"
    )
    with pytest.raises(ReconciliationError, match="which are not the 2 rows that stood there before"):
        undo(place, feed)
    assert whole(place) == second


@pytest.mark.parametrize("mode", ["append_once", {"upsert": ["dimension_id"]}])
def test_modes_without_rows_of_their_own_are_refused(place: Place, mode: Any) -> None:
    place.execute("ALTER TABLE fact_sales ADD UNIQUE (dimension_id)")
    feed = place.feed({"fact.mode": mode})
    publish(place, feed, FIRST)
    with pytest.raises(FeedError, match="no row is a load's own to take back"):
        undo(place, feed)
    with pytest.raises(FeedError, match="keep_previous: goes with the modes `replace` and `exchange`"):
        place.feed({"fact.mode": mode, "fact.load_column": ABSENT, **KEEPING})


def test_a_load_that_never_was_is_no_load_to_undo(place: Place) -> None:
    with pytest.raises(FeedError, match="the ledger has no load sales@2026-11-05"):
        undo(place)


def test_an_attempt_under_way_is_told_of_the_undo(place: Place) -> None:
    from factload import steps
    from factload.errors import Superseded

    feed = place.feed(KEEPING)
    first, _ = publish(place, feed, FIRST, SECOND)
    place.workbook([("A1", 99)])
    load = steps.open_load(feed, PERIOD, database=place.url)
    undo(place, feed)
    with pytest.raises(Superseded):
        steps.split_workbook(load, feed, database=place.url)
    assert whole(place) == first


def test_the_command_undoes_and_says_what_stands(place: Place) -> None:
    publish(place, place.feed(KEEPING), FIRST, SECOND)
    result = factload("undo", LOAD, "--reason", "wrong file", "--by", "ada", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    report = json.loads(result.stdout)
    assert (report["state"], report["rows"]["published"], report["undone"]["by"]) == ("published", 2, "ada")
    result = factload("undo", LOAD, "--reason", "it was right", "--by", "ada")
    assert "the rows before brought back by ada at" in result.stdout
    assert factload("undo", "sales@2026-11-01", "--reason", "x").returncode == 2
    assert factload("undo", LOAD).returncode == 2


def test_rows_are_kept_too_where_others_are_still_being_staged(place: Place) -> None:
    from factload.pipeline import run_load

    feed = place.feed(KEEPING)
    [first] = publish(place, feed, FIRST)
    place.workbook([("A1", number) for number in range(2_100)])  # two partitions
    run_load(feed, PERIOD, database=place.url)
    assert len(whole(place)) == 2_100
    undo(place, feed)
    assert whole(place) == first
