"""Killed at every point.

A point is right before a statement, a COMMIT or a change of a file, and the end of the step.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.faulty_process import Fault
from tests.chaos.harness import STEPS, Harness
from tests.chaos.reliability import FaultRecord
from tests.chaos.strikes import kill_at

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
    harness: Harness, record: FaultRecord, points: Iterator[Fault], step: str
) -> None:
    kill_at(harness, record, points, step, end="exact after a retry")
