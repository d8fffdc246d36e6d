"""Mode `exchange`.

The fact table is partitioned by load, with a primary key, an index, a foreign key and a view on it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from signal import SIGSTOP
from typing import Literal

import pytest

from factload.errors import FactloadError, Superseded, TransientError
from tests.chaos.faulty_process import Fault, FaultyProcess, wait_for
from tests.chaos.harness import Attempt, Harness, refused
from tests.chaos.reliability import FaultRecord
from tests.chaos.strikes import Polled, kill_at, lose_commits, poll

EXCHANGES = 50
STEPS = ("open_load", "load_partition 2", "publish", "clean_staging")
KILLED = [
    pytest.param(
        step,
        marks=pytest.mark.fault(
            f"`{step.split()[0]}` of an exchange is killed",
            by="SIGKILL before each statement, COMMIT and change of a file",
            over=5,
        ),
    )
    for step in STEPS
]


@pytest.mark.parametrize("step", KILLED)
def test_a_step_is_killed_at_every_point(
    exchanging: Harness, record: FaultRecord, points: Iterator[Fault], step: str
) -> None:
    kill_at(exchanging, record, points, step, end="exact after a retry, one table a load")


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(
            lost,
            marks=pytest.mark.fault(
                f"the {lost} of a COMMIT of an exchange is lost",
                by="a proxy that hangs up, at each COMMIT of publish",
                over=5,
            ),
        )
        for lost in ("request", "answer")
    ],
)
def test_a_commit_whose_answer_was_lost_is_settled(
    exchanging: Harness, record: FaultRecord, tmp_path: Path, lost: Literal["request", "answer"]
) -> None:
    lose_commits(exchanging, record, tmp_path, lost, ["publish"])


@pytest.mark.parametrize("point", ["SELECT set_config", "ALTER TABLE", "DROP TABLE", "COMMIT"])
@pytest.mark.fault("`publish` of an exchange is frozen", by="SIGSTOP, a newer attempt publishes, SIGCONT")
def test_who_wakes_too_late_is_refused(
    exchanging: Harness, record: FaultRecord, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("FACTLOAD_IDLE_TIMEOUT", "1")
    attempt = Attempt(exchanging).until("publish")
    with FaultyProcess(attempt.call("publish"), Fault(SIGSTOP, before=point)) as sleeper:
        assert sleeper.reached()
        exchanging.put("corrected")
        Attempt(exchanging).go_on()
        sleeper.wake()
        assert isinstance(sleeper.end().error, FactloadError)
    exchanging.proves("corrected")
    record.injected(seen="before", end="its writes are refused")


@pytest.mark.fault(
    "an exchange is published twice at once", by="SIGSTOP before COMMIT, a second publish of the same attempt"
)
def test_two_deliveries_of_publish(exchanging: Harness, record: FaultRecord) -> None:
    attempt = Attempt(exchanging).until("publish")
    with FaultyProcess(attempt.call("publish"), Fault(SIGSTOP, before="DROP TABLE")) as first:
        assert first.reached()
        with FaultyProcess(attempt.call("publish")) as second:
            wait_for(lambda: exchanging.waiting() == 1, "the second to wait for the first")
            assert exchanging.stands() == "old"
            first.wake()
            assert (first.end().result, second.end().result) == (exchanging.workbooks["new"].staged,) * 2
    attempt.go_on("clean_staging")
    exchanging.proves("new")
    record.injected(seen="before", end="exact: the second finds it published")


@pytest.mark.fault(
    "two periods are exchanged at once", by="SIGSTOP of one before it takes the lock, the other publishes"
)
def test_two_loads_into_one_table(exchanging: Harness, record: FaultRecord) -> None:
    day = date(2026, 11, 6)
    exchanging.put("small", day)
    attempt = Attempt(exchanging).until("publish")
    with FaultyProcess(attempt.call("publish"), Fault(SIGSTOP, before="SAVEPOINT")) as first:
        assert first.reached()
        Attempt(exchanging, day).go_on()
        assert exchanging.stands() == "old"
        first.wake()
        assert first.end().error is None
    attempt.go_on("clean_staging")
    exchanging.proves("new")
    exchanging.proves("small", day)
    record.injected(seen="before", end="both exact, neither waits for the other")


@pytest.mark.fault("the same exchange is started twice at once", by="two `factload run`")
def test_the_same_load_twice_at_once(exchanging: Harness, record: FaultRecord) -> None:
    with FaultyProcess(exchanging.whole_run()) as one, FaultyProcess(exchanging.whole_run()) as other:
        errors = [end.error for end in (one.end(), other.end()) if end.error]
    assert len(errors) <= 1
    assert all(isinstance(error, Superseded) for error in errors)
    exchanging.proves("new")
    record.injected(seen="after", end="one publishes, the other does nothing or is refused")


@pytest.mark.parametrize("held", ["fact_sales", "dim_product"])
@pytest.mark.fault(
    "a table that an exchange locks is read for long", by="a reader's open transaction, past the bound"
)
def test_a_lock_that_is_not_let_go(
    exchanging: Harness, record: FaultRecord, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "1")
    attempt = Attempt(exchanging).until("publish")
    attempt.url = exchanging.url
    with exchanging.engine.begin() as holder:
        holder.exec_driver_sql("SET LOCAL application_name = 'the nightly report'")
        holder.exec_driver_sql(f"SELECT count(*) FROM {held}")
        error = refused(attempt.call("publish"))
        assert exchanging.stands() == "old"
    assert isinstance(error, TransientError)
    assert "the nightly report" in str(error)
    attempt.go_on("publish")
    exchanging.proves("new")
    record.injected(seen="before", end="exact after a retry", error=error)


@pytest.mark.fault("an exchange waits for a reader", by="a reader's open transaction; others read meanwhile")
def test_other_readers_go_on_while_an_exchange_waits_for_one(
    exchanging: Harness, record: FaultRecord
) -> None:
    attempt = Attempt(exchanging).until("publish")
    enough = exchanging.home / "enough"
    with exchanging.engine.connect() as holder:
        holder.exec_driver_sql("SELECT count(*) FROM fact_sales")
        with FaultyProcess(attempt.call("publish")) as publisher:
            wait_for(lambda: exchanging.waiting() == 1, "publish to wait for the reader")
            enough.touch()
            # As long as it takes once the reader's process runs: publish tries for the lock several times meanwhile.
            with FaultyProcess(functools.partial(poll, exchanging.url, "sales", enough, seconds=2)) as other:
                polled = other.end().result
            assert len(polled.seen) == 1
            assert polled.seen.total() > 3
            holder.rollback()
            assert publisher.end().error is None
    attempt.go_on("clean_staging")
    exchanging.proves("new")
    record.injected(seen="before", end="others read in between; exact once the reader has ended")


@pytest.mark.fault(
    f"somebody reads a view during {EXCHANGES} exchanges", by="count and sum of a view in a tight loop"
)
def test_a_reader_sees_the_old_or_the_new_rows(exchanging: Harness, record: FaultRecord) -> None:
    exchanging.put("small")
    Attempt(exchanging).go_on()
    enough = exchanging.home / "enough"
    with FaultyProcess(functools.partial(poll, exchanging.url, "sales", enough)) as reader:
        for number in range(EXCHANGES):
            exchanging.put("smaller" if number % 2 == 0 else "small")
            Attempt(exchanging).go_on()
        enough.touch()
        polled: Polled = reader.end().result
    print(f"{polled.seen.total()} answers, the longest after {polled.longest * 1000:.0f} ms")
    assert set(polled.seen) == {
        (workbook.staged, workbook.total)
        for workbook in (exchanging.workbooks["small"], exchanging.workbooks["smaller"])
    }
    assert polled.seen.total() > EXCHANGES
    exchanging.proves("small")
    record.injected(seen="before", end="never a third state", times=EXCHANGES)
    record.injected(seen="after", end="never a third state", times=0)


@pytest.mark.fault(
    "a corrected workbook has fewer rows, or none (exchange)", by="shorter and shorter workbooks"
)
def test_shorter_workbooks_leave_no_old_rows(exchanging: Harness, record: FaultRecord) -> None:
    for name in ("new", "small", "smaller", "empty", "old"):
        exchanging.put(name)
        Attempt(exchanging).go_on()
        exchanging.proves(name)
        record.injected(seen="after", end="exact, nothing of the older is left")


@pytest.mark.fault(
    "a staged row is changed before an exchange", by="SQL on the staging table, after reconcile"
)
def test_a_staged_row_that_changed_is_not_published(exchanging: Harness, record: FaultRecord) -> None:
    attempt = Attempt(exchanging).until("publish")
    exchanging.execute(
        f"UPDATE {attempt.staging} SET metric = metric + 1 WHERE ctid = (SELECT min(ctid) FROM {attempt.staging})"
    )
    error = refused(attempt.call("publish"))
    assert exchanging.stands() == "old"
    Attempt(exchanging).go_on()
    exchanging.proves("new")
    record.injected(seen="before", end="nothing is published; a new attempt is exact", error=error)
