"""What a run does ahead of its steps.

`factload run` publishes rows while others are still being staged, and completes a partition while it is proved.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from signal import SIGSTOP

import pytest

from factload.errors import ReconciliationError, RowsRefused, Superseded
from factload.steps import ahead, complete_staging, publish_as_staged
from tests.chaos.faulty_process import Fault, FaultyProcess, wait_for
from tests.chaos.harness import CONTROL_PERIOD, Attempt, Harness, refused
from tests.chaos.reliability import FaultRecord
from tests.chaos.strikes import kill_at

AS_STAGED = "what publishes rows as they are staged"


def as_staged(attempt: Attempt) -> Callable[[], None]:
    return functools.partial(
        publish_as_staged,
        attempt.load,
        attempt.feed,
        attempt.split.partitions,
        attempt.maps,
        database=attempt.url,
    )


def completing(attempt: Attempt) -> Callable[[], None]:
    return functools.partial(complete_staging, attempt.load, attempt.feed, database=attempt.url)


def rows_ever_inserted(harness: Harness) -> int:
    """The highest number that a fact row was given, whether it was committed or not."""
    [(number,)] = harness.rows("SELECT last_value FROM fact_sales_id_seq")
    return int(number)


def exchange_members(harness: Harness) -> None:
    """The members of two business keys take each other's place."""
    for key, instead in (("P1", "other"), ("P2", "P1"), ("other", "P2")):
        harness.execute(f"UPDATE dim_product SET business_key = '{instead}' WHERE business_key = '{key}'")


@pytest.mark.fault(
    f"{AS_STAGED} is killed", by="SIGKILL before each statement, COMMIT and change of a file", over=10
)
def test_it_is_killed_at_every_point(harness: Harness, record: FaultRecord, points: Iterator[Fault]) -> None:
    kill_at(harness, record, points, "reconcile", end="exact after a retry", call=as_staged)


@pytest.mark.fault(
    "what completes a partition ahead of publish is killed",
    by="SIGKILL before each statement, COMMIT and change of a file",
    over=10,
)
def test_completion_is_killed_at_every_point(
    exchanging: Harness, record: FaultRecord, points: Iterator[Fault]
) -> None:
    kill_at(
        exchanging, record, points, "reconcile", end="exact after a retry, one table a load", call=completing
    )


def test_rows_go_in_while_others_are_staged_and_are_seen_at_once(harness: Harness) -> None:
    harness.put("new")
    attempt = Attempt(harness).until("load_partition")
    before = rows_ever_inserted(harness)
    attempt.run("load_partition 1")
    with FaultyProcess(as_staged(attempt)) as publisher:
        wait_for(lambda: rows_ever_inserted(harness) > before, "rows of the first partition")
        assert harness.stands() == "old"
        attempt.run("load_partition 2")
        assert harness.stands() == "old"
        attempt.run("load_partition 3")
        assert publisher.end().error is None
    assert harness.stands() == "new"
    attempt.go_on("reconcile")
    harness.proves("new")
    assert rows_ever_inserted(harness) - before == harness.workbooks["new"].staged, "they went in twice"


def test_who_publishes_waits_for_as_long_as_partitions_come(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them take longer than it waits for one."""
    monkeypatch.setattr(ahead, "_WAITED_FOR_SECONDS", 3.0)
    harness.put("new")
    attempt = Attempt(harness).until("load_partition")
    with ThreadPoolExecutor(1) as beside:
        publisher = beside.submit(as_staged(attempt))
        for number in (1, 2, 3):
            time.sleep(1.8)
            attempt.run(f"load_partition {number}")
        publisher.result()
    assert harness.stands() == "new"
    attempt.go_on("reconcile")
    harness.proves("new")


@pytest.mark.fault(
    f"a staged row is changed after {AS_STAGED} has taken it", by="SIGSTOP before the proof, an UPDATE by SQL"
)
def test_rows_changed_after_they_were_taken(harness: Harness, record: FaultRecord) -> None:
    harness.put("new")
    attempt = Attempt(harness).until("reconcile")
    with FaultyProcess(as_staged(attempt), Fault(SIGSTOP, before="LOCK TABLE", nth=1)) as publisher:
        assert publisher.reached()
        one = f"(SELECT min(ctid) FROM {attempt.staging})"
        harness.execute(f"UPDATE {attempt.staging} SET metric = metric + 1 WHERE ctid = {one}")
        publisher.wake()
        assert publisher.end().error is None
    assert harness.stands() == "old"
    error = refused(attempt.call("reconcile"))
    assert isinstance(error, ReconciliationError)
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="not published; that partition is loaded again", error=error)


@pytest.mark.fault(
    f"a partition is staged anew after {AS_STAGED} has taken it",
    by="SIGSTOP before the proof, another delivery with the members' keys exchanged",
)
def test_a_partition_that_is_staged_anew(harness: Harness, record: FaultRecord) -> None:
    harness.execute("ALTER TABLE fact_sales DROP CONSTRAINT fact_sales_dimension_id_fkey")  # it locks members
    harness.put("new")
    attempt = Attempt(harness).until("reconcile")
    with FaultyProcess(as_staged(attempt), Fault(SIGSTOP, before="LOCK TABLE", nth=1)) as publisher:
        assert publisher.reached()
        exchange_members(harness)
        attempt.run("extract_dimension_map 1")
        attempt.run("load_partition 1")
        publisher.wake()
        assert publisher.end().error is None
    assert harness.stands() == "old"
    exchange_members(harness)
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="not published until it is proved by itself")


@pytest.mark.parametrize("point", ["INSERT INTO fact_sales", "LOCK TABLE", "COMMIT"])
@pytest.mark.fault(f"{AS_STAGED} is frozen", by="SIGSTOP, a newer attempt publishes, SIGCONT")
def test_who_wakes_too_late_is_refused(
    harness: Harness, record: FaultRecord, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("FACTLOAD_IDLE_TIMEOUT", "1")
    harness.put("new")
    attempt = Attempt(harness).until("reconcile")
    with FaultyProcess(as_staged(attempt), Fault(SIGSTOP, before=point)) as sleeper:
        assert sleeper.reached()
        harness.put("corrected")
        Attempt(harness).go_on()
        sleeper.wake()
        assert sleeper.end().error is not None
    harness.proves("corrected")
    record.injected(seen="before", end="its writes are refused")


def test_a_newer_attempt_ends_the_waiting(harness: Harness) -> None:
    harness.put("new")
    attempt = Attempt(harness).until("load_partition")
    with FaultyProcess(as_staged(attempt)) as publisher:
        Attempt(harness).go_on()
        assert isinstance(publisher.end().error, Superseded)
    harness.proves("new")


def test_a_load_that_is_held_leaves_the_old_rows(harness: Harness) -> None:
    harness.change_feed({"max_rejects": 0})
    harness.put("new")
    error = refused(harness.whole_run())
    assert isinstance(error, RowsRefused)
    assert harness.stands() == "old"
    assert harness.rows("SELECT count(*) FROM fact_sales WHERE load_id LIKE 'sales@2026-11-05'") == [
        (harness.workbooks["old"].staged,)
    ]


def test_what_acts_on_statements_acts_once_as_in_a_dag(harness: Harness) -> None:
    harness.execute("CREATE TABLE seen (command text, load_id text)")
    harness.execute("""
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO seen VALUES (TG_OP); RETURN NULL; END'""")
    harness.execute("""
        CREATE TRIGGER note AFTER INSERT OR DELETE ON fact_sales
        FOR EACH STATEMENT EXECUTE FUNCTION note()""")
    harness.put("new")
    harness.whole_run()()
    assert harness.stands() == "new"
    assert harness.rows("SELECT command FROM seen ORDER BY 1") == [("DELETE",), ("INSERT",)]
    assert harness.readers_see(CONTROL_PERIOD) == "control"


def test_rows_that_may_stand_once_wait_for_all_others(harness: Harness) -> None:
    harness.change_feed({"fact.columns.metric.unique": True, "max_rejects": "100%"})
    harness.put("new")
    before = rows_ever_inserted(harness)
    harness.whole_run()()
    [(facts, different)] = harness.rows(
        "SELECT count(*), count(DISTINCT metric) FROM fact_sales WHERE load_id = 'sales@2026-11-05'"
    )
    assert facts == different
    assert rows_ever_inserted(harness) - before == facts, "rows went in that were rejects in the end"
