"""Killed at every point.

A point is right before a statement, a COMMIT or a change of a file, and the end of the step.
"""

from __future__ import annotations

from collections.abc import Iterator
from signal import SIGKILL

import pytest

from tests.chaos.faulty_process import Fault, FaultyProcess
from tests.chaos.harness import STEPS, Attempt, Harness
from tests.chaos.reliability import FaultRecord

KILLED = [
    pytest.param(
        step,
        marks=pytest.mark.fault(
            f"`{step.split()[0]}` is killed",
            by="SIGKILL before each statement, COMMIT and change of a file",
            over=5,
        ),
    )
    for step in STEPS
]


@pytest.mark.parametrize("step", KILLED)
def test_a_step_is_killed_at_every_point(
    harness: Harness, record: FaultRecord, points: Iterator[int], step: str
) -> None:
    """OLD and NEW replace each other; the retry is by turns the same attempt's and a new one's."""
    for number, nth in enumerate(points):
        before, after = ("old", "new") if number % 2 == 0 else ("new", "old")
        harness.put(after)
        attempt = Attempt(harness).until(step)
        with FaultyProcess(attempt.call(step), Fault(SIGKILL, nth=nth)) as process:
            if process.reached() is None:
                assert process.end().error is None
                break
            assert process.end().killed
        stood = harness.stands()
        assert stood in (before, after)
        if number % 4 < 2:
            attempt.go_on(step)
        else:
            Attempt(harness).go_on()
        harness.proves(after)
        record.injected(seen="before" if stood == before else "after", end="exact after a retry")
