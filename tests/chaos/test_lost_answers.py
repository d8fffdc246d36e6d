"""The line breaks at a COMMIT.

The client can't know whether it was carried out: the ledger does.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Literal

import pytest

from factload.errors import FactloadError
from tests.chaos.harness import STEPS, Attempt, Harness
from tests.chaos.proxy import BrokenLine
from tests.chaos.reliability import FaultRecord

LOST = [
    pytest.param(
        lost,
        marks=pytest.mark.fault(
            f"the {what} of a COMMIT is lost",
            by="a proxy that hangs up, at each COMMIT of each step",
            over=10,
        ),
    )
    for lost, what in (("request", "request"), ("answer", "answer"))
]


@pytest.mark.parametrize("lost", LOST)
def test_a_commit_whose_answer_was_lost_is_settled(
    harness: Harness, record: FaultRecord, tmp_path: Path, lost: Literal["request", "answer"]
) -> None:
    numbers = itertools.count()
    for step in STEPS:
        for nth in itertools.count():
            number = next(numbers)
            before, after = ("old", "new") if number % 2 == 0 else ("new", "old")
            harness.put(after)
            attempt = Attempt(harness).until(step)
            with BrokenLine(harness.url, tmp_path / f"line {number}", lost, nth) as line:
                attempt.url = line.url
                try:
                    attempt.run(step)
                    error = None
                except FactloadError as caught:
                    error = caught
                attempt.url = harness.url
            stood = harness.stands()
            attempt.go_on(step)
            harness.proves(after)
            if not line.broke:
                break
            assert error is None or error.retry
            record.injected(
                seen="before" if stood == before else "after", end="exact after a retry", error=error
            )
