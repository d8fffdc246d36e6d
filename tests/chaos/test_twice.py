"""Twice, at once, or in the wrong order."""

from __future__ import annotations

from datetime import date
from signal import SIGSTOP

import pytest
from arena import PERIOD, Arena, Attempt, refused
from faults import Fault
from victim import Strike, Victim, wait_for

from factload.errors import Superseded, TransientError


@pytest.mark.fault("the same load is started twice at once", by="two `factload run`")
def test_the_same_load_twice_at_once(arena: Arena, fault: Fault) -> None:
    with Victim(arena.whole_run()) as one, Victim(arena.whole_run()) as other:
        ends = [one.end(), other.end()]
    errors = [end.error for end in ends if end.error]
    assert len(errors) <= 1
    assert all(isinstance(error, Superseded) for error in errors)
    arena.proves("new")
    fault.injected(seen="after", end="one publishes, the other does nothing or is refused")


@pytest.mark.fault(
    "a load is published twice at once", by="SIGSTOP before COMMIT, a second publish of the same attempt"
)
def test_two_deliveries_of_publish(arena: Arena, fault: Fault) -> None:
    attempt = Attempt(arena).until("publish")
    with Victim(attempt.call("publish"), Strike(SIGSTOP, before="COMMIT")) as first:
        assert first.struck()
        with Victim(attempt.call("publish")) as second:
            wait_for(lambda: waiting(arena) == 1, "the second to wait for the first")
            assert arena.stands() == "old"
            first.wake()
            assert (first.end().result, second.end().result) == (arena.books["new"].staged,) * 2
    attempt.go_on("clean_staging")
    arena.proves("new")
    fault.injected(seen="before", end="exact: the second finds it published")


@pytest.mark.fault("a partition is delivered twice at once", by="SIGSTOP between inserts, a second delivery")
def test_a_partition_delivered_twice_at_once(arena: Arena, fault: Fault) -> None:
    attempt = Attempt(arena).until("load_partition 2")
    call = attempt.call("load_partition 2")
    with Victim(call, Strike(SIGSTOP, before="INSERT INTO factload_staging")) as first:
        assert first.struck()
        with Victim(call) as second:
            wait_for(lambda: waiting(arena) == 1, "the second to wait for the first")
            first.wake()
            assert first.end().result == second.end().result is not None
    attempt.go_on("load_partition 3")
    arena.proves("new")
    fault.injected(seen="before", end="exact")


@pytest.mark.fault("a partition is delivered twice in turn", by="each step called twice")
def test_every_step_delivered_twice_in_turn(arena: Arena, fault: Fault) -> None:
    attempt = Attempt(arena)
    attempt.run("open_load")
    attempt.run("extract_dimension_map")
    attempt.run("split_workbook")
    for step in list(attempt.steps)[1:]:
        assert attempt.run(step) == attempt.run(step)
    arena.proves("new")
    fault.injected(seen="before", end="exact")


@pytest.mark.fault(
    "an older period is loaded after a newer one", by="four periods in any order, one of them twice"
)
def test_periods_out_of_order(arena: Arena, fault: Fault) -> None:
    days = {date(2026, 11, 9): "small", date(2026, 11, 2): "smaller", date(2026, 11, 7): "corrected"}
    for day, name in days.items():
        arena.put(name, day)
        Attempt(arena, day).go_on()
    for day, name in days.items():
        arena.proves(name, day)
    arena.put("new", date(2026, 11, 2))
    Attempt(arena, date(2026, 11, 2)).go_on()
    for day, name in (days | {date(2026, 11, 2): "new"}).items():
        arena.proves(name, day)
    assert arena.stands(PERIOD) == "old"
    fault.injected(seen="before", end="each period has its own rows, exact", times=4)


@pytest.mark.fault(
    "a corrected workbook has fewer rows, or none", by="loads of shorter and shorter workbooks"
)
def test_shorter_workbooks_leave_no_old_rows(arena: Arena, fault: Fault) -> None:
    for name in ("new", "small", "smaller", "empty", "old"):
        arena.put(name)
        Attempt(arena).go_on()
        arena.proves(name)
        fault.injected(seen="after", end="exact, nothing of the older is left")


@pytest.mark.fault(
    "two loads publish into one table at once", by="SIGSTOP before COMMIT of one, the other publishes"
)
def test_two_loads_into_one_table(arena: Arena, fault: Fault) -> None:
    day = date(2026, 11, 6)
    arena.put("small", day)
    attempt = Attempt(arena).until("publish")
    with Victim(attempt.call("publish"), Strike(SIGSTOP, before="COMMIT")) as first:
        assert first.struck()
        Attempt(arena, day).go_on()
        assert arena.stands() == "old"
        first.wake()
        assert first.end().error is None
    attempt.go_on("clean_staging")
    arena.proves("new")
    arena.proves("small", day)
    fault.injected(seen="before", end="both exact, neither waits for the other")


@pytest.mark.fault(
    "the fact table is locked by somebody else", by="LOCK TABLE in another session, past the bound"
)
def test_a_lock_that_is_not_let_go(arena: Arena, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "1")
    attempt = Attempt(arena).until("publish")
    with arena.engine.begin() as holder:
        holder.exec_driver_sql("SET LOCAL application_name = 'the nightly report'")
        holder.exec_driver_sql("LOCK TABLE fact_sales IN ACCESS EXCLUSIVE MODE")
        error = refused(attempt.call("publish"))
    assert isinstance(error, TransientError)
    assert "the nightly report" in str(error)
    assert arena.stands() == "old"
    attempt.go_on("publish")
    arena.proves("new")
    fault.injected(seen="before", end="exact after a retry", error=error)


def waiting(arena: Arena) -> int:
    """How many sessions wait for a lock in this database."""
    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    [(count,)] = arena.rows(statement)
    return int(count)
