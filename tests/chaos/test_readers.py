"""Readers while loads are published.

They ask for count and sum, as fast as they can.
"""

from __future__ import annotations

import functools
from signal import SIGSTOP

import pytest
from sqlalchemy import text

from tests.chaos.faulty_process import Fault, FaultyProcess
from tests.chaos.harness import Attempt, Harness
from tests.chaos.reliability import FaultRecord
from tests.chaos.strikes import poll

PUBLISHES = 50


@pytest.mark.fault(
    f"somebody reads during {PUBLISHES} replacing publishes", by="count and sum in a tight loop"
)
def test_a_reader_sees_the_old_or_the_new_rows(harness: Harness, record: FaultRecord) -> None:
    harness.put("small")
    Attempt(harness).go_on()
    enough = harness.home / "enough"
    with FaultyProcess(functools.partial(poll, harness.url, "fact_sales", enough)) as reader:
        for number in range(PUBLISHES):
            harness.put("smaller" if number % 2 == 0 else "small")
            Attempt(harness).go_on()
        enough.touch()
        seen = reader.end().result.seen
    whole = {
        (workbook.staged, workbook.total)
        for workbook in (harness.workbooks["small"], harness.workbooks["smaller"])
    }
    assert set(seen) == whole
    assert seen.total() > PUBLISHES
    harness.proves("small")
    record.injected(seen="before", end="never a third state", times=PUBLISHES)
    record.injected(seen="after", end="never a third state", times=0)


@pytest.mark.fault("a reader's transaction is open across a publish", by="REPEATABLE READ before and after")
def test_a_reader_with_a_snapshot_keeps_it(harness: Harness, record: FaultRecord) -> None:
    statement = text("SELECT count(*), sum(metric) FROM fact_sales")
    with harness.engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
        before = reader.execute(statement).one()
        Attempt(harness).go_on()
        assert reader.execute(statement).one() == before
        reader.rollback()
        assert reader.execute(statement).one() != before
    harness.proves("new")
    record.injected(seen="before", end="exact; neither waits for the other")


@pytest.mark.parametrize("point", ["DELETE FROM fact_sales", "INSERT INTO fact_sales", "COMMIT"])
@pytest.mark.fault("somebody reads in the middle of a publish", by="SIGSTOP in publish, before each change")
def test_readers_are_not_kept_waiting(harness: Harness, record: FaultRecord, point: str) -> None:
    attempt = Attempt(harness).until("publish")
    with FaultyProcess(attempt.call("publish"), Fault(SIGSTOP, before=point)) as publisher:
        assert publisher.reached()
        assert harness.stands() == "old"
        publisher.wake()
        assert publisher.end().error is None
    attempt.go_on("clean_staging")
    harness.proves("new")
    record.injected(seen="before", end="exact; readers never wait")
