"""The line breaks at a COMMIT.

The client can't know whether it was carried out: the ledger does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.chaos.harness import STEPS, Harness
from tests.chaos.reliability import FaultRecord
from tests.chaos.strikes import lose_commits

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
    lose_commits(harness, record, tmp_path, lost, STEPS)
