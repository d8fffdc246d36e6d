"""Frozen, and woken too late.

A worker stops in the middle of its work; a corrected workbook is loaded by its successor; then it wakes.
"""

from __future__ import annotations

from signal import SIGSTOP

import pytest

from factload.errors import FactloadError
from tests.chaos.faulty_process import Fault, FaultyProcess
from tests.chaos.harness import Attempt, Harness
from tests.chaos.reliability import FaultRecord

BEGIN, COMMIT = "SELECT set_config", "COMMIT"
FROZEN = [
    # step, the point at which it freezes, what that is
    ("open_load", "INSERT INTO factload.attempts", "as it begins its epoch"),
    ("open_load", COMMIT, "before its COMMIT"),
    ("extract_dimension_map", "COPY", "as it reads the dimension"),
    ("split_workbook", "rename", "before it puts a partition file in its place"),
    ("split_workbook", COMMIT, "before its COMMIT"),
    ("load_partition 2", BEGIN, "before its transaction"),
    ("load_partition 2", "INSERT INTO factload_staging", "between its inserts"),
    ("load_partition 2", COMMIT, "before its COMMIT"),
    ("reconcile", BEGIN, "before its transaction"),
    ("reconcile", COMMIT, "before its COMMIT"),
    ("publish", BEGIN, "before its transaction"),
    ("publish", "INSERT INTO fact_sales", "between DELETE and INSERT"),
    ("publish", COMMIT, "before its COMMIT"),
]
# Their successor waits for no lock of theirs: nothing has to end their session, and a slow machine must not.
HOLD_NOBODY_UP = {"extract_dimension_map", "split_workbook"}
TABLE = [
    pytest.param(
        step,
        point,
        id=f"{step} {what}",
        marks=pytest.mark.fault(
            f"`{step.split()[0]}` is frozen {what}", by="SIGSTOP, a newer attempt publishes, SIGCONT"
        ),
    )
    for step, point, what in FROZEN
]


@pytest.mark.parametrize(("step", "point"), TABLE)
def test_who_wakes_too_late_is_refused(
    harness: Harness, record: FaultRecord, monkeypatch: pytest.MonkeyPatch, step: str, point: str
) -> None:
    if step not in HOLD_NOBODY_UP:
        monkeypatch.setenv("FACTLOAD_IDLE_TIMEOUT", "1")
    attempt = Attempt(harness).until(step)
    with FaultyProcess(attempt.call(step), Fault(SIGSTOP, before=point)) as sleeper:
        assert sleeper.reached()
        stood = harness.stands()
        harness.put("corrected")
        Attempt(harness).go_on()
        sleeper.wake()
        error = sleeper.end().error
    harness.proves("corrected")
    if step == "extract_dimension_map":
        assert error is None
        end = "its file is of its own attempt: nobody reads it"
    else:
        assert isinstance(error, FactloadError)
        end = "its writes are refused"
    record.injected(seen="before" if stood == "old" else "after", end=end, error=error)


@pytest.mark.fault(
    "`reconcile` is frozen as it notes its time", by="SIGSTOP, a newer attempt publishes, SIGCONT"
)
def test_who_is_frozen_at_the_very_end_keeps_nobody_waiting(harness: Harness, record: FaultRecord) -> None:
    attempt = Attempt(harness).until("reconcile")
    with FaultyProcess(attempt.call("reconcile"), Fault(SIGSTOP, before=COMMIT, nth=1)) as sleeper:
        assert sleeper.reached()
        harness.put("corrected")
        Attempt(harness).go_on()
        sleeper.wake()
        assert sleeper.end().error is None
    harness.proves("corrected")
    record.injected(seen="before", end="its note is of its own attempt")


@pytest.mark.fault(
    "`clean_staging` is frozen before it removes a file", by="SIGSTOP, a newer attempt begins, SIGCONT"
)
def test_who_cleans_too_late_takes_nothing_from_a_newer_attempt(
    harness: Harness, record: FaultRecord
) -> None:
    attempt = Attempt(harness).until("clean_staging")
    with FaultyProcess(attempt.call("clean_staging"), Fault(SIGSTOP, before="remove")) as sleeper:
        assert sleeper.reached()
        newer = Attempt(harness).until("load_partition 1")
        sleeper.wake()
        assert sleeper.end().error is None
        newer.go_on("load_partition 1")
    harness.proves("new")
    record.injected(seen="after", end="it removes its own files, nobody else's")
