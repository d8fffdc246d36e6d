"""Twice, at once, or in the wrong order."""

from __future__ import annotations

from datetime import date
from signal import SIGSTOP

import pytest

from factload.errors import Superseded, TransientError
from tests.chaos.faulty_process import Fault, FaultyProcess, wait_for
from tests.chaos.harness import PERIOD, Attempt, Harness, refused
from tests.chaos.reliability import FaultRecord


@pytest.mark.fault("the same load is started twice at once", by="two `factload run`")
def test_the_same_load_twice_at_once(harness: Harness, record: FaultRecord) -> None:
    with FaultyProcess(harness.whole_run()) as one, FaultyProcess(harness.whole_run()) as other:
        ends = [one.end(), other.end()]
    errors = [end.error for end in ends if end.error]
    assert len(errors) <= 1
    assert all(isinstance(error, Superseded) for error in errors)
    harness.proves("new")
    record.injected(seen="after", end="one publishes, the other does nothing or is refused")


@pytest.mark.fault(
    "a load is published twice at once", by="SIGSTOP before COMMIT, a second publish of the same attempt"
)
def test_two_deliveries_of_publish(harness: Harness, record: FaultRecord) -> None:
    attempt = Attempt(harness).until("publish")
    with FaultyProcess(attempt.call("publish"), Fault(SIGSTOP, before="COMMIT")) as first:
        assert first.reached()
        with FaultyProcess(attempt.call("publish")) as second:
            wait_for(lambda: harness.waiting() == 1, "the second to wait for the first")
            assert harness.stands() == "old"
            first.wake()
            assert (first.end().result, second.end().result) == (harness.workbooks["new"].staged,) * 2
    attempt.go_on("clean_staging")
    harness.proves("new")
    record.injected(seen="before", end="exact: the second finds it published")


@pytest.mark.fault("a partition is delivered twice at once", by="SIGSTOP between inserts, a second delivery")
def test_a_partition_delivered_twice_at_once(harness: Harness, record: FaultRecord) -> None:
    attempt = Attempt(harness).until("load_partition 2")
    call = attempt.call("load_partition 2")
    with FaultyProcess(call, Fault(SIGSTOP, before="INSERT INTO factload_staging")) as first:
        assert first.reached()
        with FaultyProcess(call) as second:
            wait_for(lambda: harness.waiting() == 1, "the second to wait for the first")
            first.wake()
            assert first.end().result == second.end().result is not None
    attempt.go_on("load_partition 3")
    harness.proves("new")
    record.injected(seen="before", end="exact")


@pytest.mark.fault("a partition is delivered twice in turn", by="each step called twice")
def test_every_step_delivered_twice_in_turn(harness: Harness, record: FaultRecord) -> None:
    attempt = Attempt(harness)
    attempt.run("open_load")
    attempt.run("extract_dimension_map")
    attempt.run("split_workbook")
    for step in list(attempt.steps)[1:]:
        assert attempt.run(step) == attempt.run(step)
    harness.proves("new")
    record.injected(seen="before", end="exact")


@pytest.mark.fault(
    "an older period is loaded after a newer one", by="four periods in any order, one of them twice"
)
def test_periods_out_of_order(harness: Harness, record: FaultRecord) -> None:
    days = {date(2026, 11, 9): "small", date(2026, 11, 2): "smaller", date(2026, 11, 7): "corrected"}
    for day, name in days.items():
        harness.put(name, day)
        Attempt(harness, day).go_on()
    for day, name in days.items():
        harness.proves(name, day)
    harness.put("new", date(2026, 11, 2))
    Attempt(harness, date(2026, 11, 2)).go_on()
    for day, name in (days | {date(2026, 11, 2): "new"}).items():
        harness.proves(name, day)
    assert harness.stands(PERIOD) == "old"
    record.injected(seen="before", end="each period has its own rows, exact", times=4)


@pytest.mark.fault(
    "a corrected workbook has fewer rows, or none", by="loads of shorter and shorter workbooks"
)
def test_shorter_workbooks_leave_no_old_rows(harness: Harness, record: FaultRecord) -> None:
    for name in ("new", "small", "smaller", "empty", "old"):
        harness.put(name)
        Attempt(harness).go_on()
        harness.proves(name)
        record.injected(seen="after", end="exact, nothing of the older is left")


@pytest.mark.fault(
    "two loads publish into one table at once", by="SIGSTOP before COMMIT of one, the other publishes"
)
def test_two_loads_into_one_table(harness: Harness, record: FaultRecord) -> None:
    day = date(2026, 11, 6)
    harness.put("small", day)
    attempt = Attempt(harness).until("publish")
    with FaultyProcess(attempt.call("publish"), Fault(SIGSTOP, before="COMMIT")) as first:
        assert first.reached()
        Attempt(harness, day).go_on()
        assert harness.stands() == "old"
        first.wake()
        assert first.end().error is None
    attempt.go_on("clean_staging")
    harness.proves("new")
    harness.proves("small", day)
    record.injected(seen="before", end="both exact, neither waits for the other")


@pytest.mark.fault(
    "the fact table is locked by somebody else", by="LOCK TABLE in another session, past the bound"
)
def test_a_lock_that_is_not_let_go(
    harness: Harness, record: FaultRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "1")
    attempt = Attempt(harness).until("publish")
    with harness.engine.begin() as holder:
        holder.exec_driver_sql("SET LOCAL application_name = 'the nightly report'")
        holder.exec_driver_sql("LOCK TABLE fact_sales IN ACCESS EXCLUSIVE MODE")
        error = refused(attempt.call("publish"))
    assert isinstance(error, TransientError)
    assert "the nightly report" in str(error)
    assert harness.stands() == "old"
    attempt.go_on("publish")
    harness.proves("new")
    record.injected(seen="before", end="exact after a retry", error=error)
