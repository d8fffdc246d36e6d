"""Machines that share a store and a database alone.

Each step runs in a process of its own, in turn on one of two machines, whose folders are theirs alone; the line between
them and the store is the tests' own.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.faulty_process import FaultyProcess, wait_for
from tests.chaos.harness import Attempt, Harness
from tests.chaos.reliability import FaultRecord
from tests.s3_server import Fault, FaultyLine, S3Server, use

_FAULTS: tuple[Fault, ...] = ("refused", "request cut", "answer cut", "slow")


@dataclass
class Machines:
    """Two machines, used in turn; whatever asks the store goes over ``line``."""

    folders: Iterator[Path]
    line: FaultyLine
    monkeypatch: pytest.MonkeyPatch

    def move_on(self) -> None:
        """From here on this process, and those that it starts, are on the machine whose turn it is."""
        self.monkeypatch.setenv("FACTLOAD_CACHE", str(next(self.folders)))
        use(self.line.variables, self.monkeypatch)

    def start(self, call: Callable[[], Any]) -> FaultyProcess:
        """Make a call in a process on the next machine."""
        self.move_on()
        return FaultyProcess(call)

    def call(self, call: Callable[[], Any]) -> Any:
        """What a call returns there, or its error."""
        with self.start(call) as process:
            end = process.end()
        if end.error is not None:
            raise end.error
        assert not end.killed
        return end.result


class SpreadAttempt(Attempt):
    """An attempt whose steps run on machines."""

    def __init__(self, harness: Harness, machines: Machines) -> None:
        super().__init__(harness)
        self.machines = machines

    def call(self, name: str) -> Callable[[], Any]:
        return partial(self.machines.call, super().call(name))

    def start(self, name: str) -> FaultyProcess:
        """Begin a step, and don't wait for it."""
        return self.machines.start(super().call(name))


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The store as somebody else sees it; staging lies in a place of its own there."""
    s3.hold_staging("chaos", monkeypatch)
    return s3.files()


@pytest.fixture
def machines(
    harness: Harness, s3: S3Server, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machines]:
    folders = itertools.cycle([harness.home / "one machine", harness.home / "another machine"])
    with FaultyLine(s3) as line:
        yield Machines(folders, line, monkeypatch)


def objects(bucket: Any) -> list[str]:
    place = os.environ["FACTLOAD_STAGING"].removeprefix("s3://")
    return [name for name in bucket.find(place) if name.endswith(".arrow")]


@pytest.mark.parametrize(
    ("fault", "verb", "times"),
    [
        pytest.param(fault, verb, times, marks=pytest.mark.fault(name, by=by), id=name)
        for name, by, fault, verb, times in (
            ("the store answers 503", "SlowDown in the place of its answer", "refused", "", 2),
            ("an upload is cut off", "the line ends within the request", "request cut", "PUT", 2),
            ("the answer to an upload is lost", "the line ends within the answer", "answer cut", "PUT", 2),
            ("a download is cut off", "the line ends within the answer", "answer cut", "GET /chaos/", 2),
            ("the store is slow", "a second before an answer", "slow", "", 1),
        )
    ],
)
def test_a_store_that_fails_for_a_while_stops_no_step(
    harness: Harness,
    record: FaultRecord,
    machines: Machines,
    bucket: Any,
    s3: S3Server,
    fault: Fault,
    verb: str,
    times: int,
) -> None:
    whole = machines.line
    with FaultyLine(s3, fault, verb=verb, times=times) as line:
        machines.line = line
        attempt = SpreadAttempt(harness, machines).until("publish")
        assert line.struck == times
    assert harness.stands() == "old"
    machines.line = whole
    attempt.go_on("publish")
    harness.proves("new")
    assert objects(bucket) == []
    record.injected(seen="before", end="exact without a retry")


@pytest.mark.parametrize(
    ("step", "verb"),
    [
        pytest.param(
            step, verb, marks=pytest.mark.fault(f"a machine dies while it {what}", by="SIGKILL"), id=what
        )
        for step, verb, what in (
            ("split_workbook", "PUT", "puts a partition into the store"),
            ("load_partition 2", "GET", "fetches from the store"),
        )
    ],
)
def test_a_machine_dies(
    harness: Harness, record: FaultRecord, machines: Machines, bucket: Any, s3: S3Server, step: str, verb: str
) -> None:
    attempt = SpreadAttempt(harness, machines).until(step)
    whole, before = machines.line, objects(bucket)
    with FaultyLine(s3, "silent", verb=verb, times=1_000) as line:
        machines.line = line
        with attempt.start(step):
            wait_for(lambda: line.struck > 0, "the request")
    assert objects(bucket) == before
    assert harness.stands() == "old"
    machines.line = whole
    attempt.go_on(step)
    harness.proves("new")
    assert objects(bucket) == []
    record.injected(seen="before", end="exact after a retry")


@pytest.mark.fault(
    "faults of a store, and deaths, at any step", by="503, cuts, delays, SIGKILL at random", over=4
)
def test_faults_at_random(
    harness: Harness, record: FaultRecord, machines: Machines, bucket: Any, s3: S3Server
) -> None:
    seed = date.today().toordinal()
    print(f"seed {seed}")
    rng = random.Random(seed)  # noqa: S311 - faults, not secrets
    attempt = SpreadAttempt(harness, machines)
    whole, struck = machines.line, 0
    for step in attempt.steps:
        if rng.random() < 0.4:
            machines.line = whole
            with attempt.start(step):
                time.sleep(rng.uniform(0, 0.6))
            struck += 1
        with FaultyLine(s3, rng.choice(_FAULTS), times=rng.randint(1, 2)) as line:
            machines.line = line
            attempt.run(step)
            struck += line.struck
    machines.line = whole
    machines.move_on()
    harness.proves("new")
    assert objects(bucket) == []
    record.injected(seen="after", end="exact", times=struck)
