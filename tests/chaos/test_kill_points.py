"""Killed at every point.

A point is right before a statement, a COMMIT or a change of a file, and the end of the step.
"""

from __future__ import annotations

import itertools
from signal import SIGKILL

import pytest
from arena import Arena, Attempt
from faults import Fault
from victim import END, Strike, Victim

STEPS = (
    "open_load",
    "extract_dimension_map",
    "split_workbook",
    "load_partition 2",
    "reconcile",
    "publish",
    "clean_staging",
)
KILLED = [
    pytest.param(
        step,
        marks=pytest.mark.fault(
            f"`{step.split()[0]}` is killed",
            by="SIGKILL before each statement, COMMIT and change of a file",
            over=10,
        ),
    )
    for step in STEPS
]


@pytest.mark.parametrize("step", KILLED)
def test_a_step_is_killed_at_every_point(arena: Arena, fault: Fault, step: str) -> None:
    """OLD and NEW replace each other; the retry is by turns the same attempt's and a new one's."""
    point = ""
    for nth in itertools.count():
        before, after = ("old", "new") if nth % 2 == 0 else ("new", "old")
        arena.put(after)
        attempt = Attempt(arena).until(step)
        with Victim(attempt.call(step), Strike(SIGKILL, nth=nth)) as victim:
            last, point = point, victim.struck() or ""
            if not point:
                break
            assert victim.end().killed
        stood = arena.stands()
        assert stood in (before, after)
        if nth % 4 < 2:
            attempt.go_on(step)
        else:
            Attempt(arena).go_on()
        arena.proves(after)
        fault.injected(seen="before" if stood == before else "after", end="exact after a retry")
    assert last == END
