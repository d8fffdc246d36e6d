"""What strikes a load in more modes or places than one: killed at each point, frozen while its server goes away, cut off
at each COMMIT, watched by a reader."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from signal import SIGSTOP
from typing import Any, Literal

from sqlalchemy import create_engine, text

from factload.errors import FactloadError, TransientError
from tests.chaos.faulty_process import Fault, FaultyProcess
from tests.chaos.harness import LOAD, Attempt, Harness
from tests.chaos.proxy import BrokenLine
from tests.chaos.reliability import FaultRecord


def killed(call: Callable[[], Any], point: Fault) -> bool:
    """Whether a call was killed at a point; else it had no such point, and went through."""
    with FaultyProcess(call, point) as process:
        if process.reached() is None:
            assert process.end().error is None
            return False
        assert process.end().killed
        return True


def kill_at(
    harness: Harness,
    record: FaultRecord,
    points: Iterable[Fault],
    step: str,
    *,
    end: str,
    call: Callable[[Attempt], Callable[[], Any]] | None = None,
) -> None:
    """``step`` is killed at each of its ``points``. OLD and NEW replace each other; the retry is by turns the same
    attempt's and a new one's. ``end``: how it ends, for the page; ``call``: what is killed ahead of ``step``."""
    for number, point in enumerate(points):
        before, after = ("old", "new") if number % 2 == 0 else ("new", "old")
        harness.put(after)
        attempt = Attempt(harness).until(step)
        if not killed(call(attempt) if call else attempt.call(step), point):
            break
        stood = harness.stands()
        assert stood in (before, after)
        if number % 4 < 2:
            attempt.go_on(step)
        else:
            Attempt(harness).go_on()
        harness.proves(after)
        record.injected(seen="before" if stood == before else "after", end=end)


def strike_under(
    harness: Harness, record: FaultRecord, step: str, point: str, strike: Callable[[], None]
) -> None:
    """``strike`` takes the server away from under ``step``, frozen right before ``point``. A new attempt is exact."""
    attempt = Attempt(harness).until(step)
    with FaultyProcess(attempt.call(step), Fault(SIGSTOP, before=point)) as process:
        assert process.reached()
        strike()
        process.wake()
        error = process.end().error
    stood = harness.stands()
    assert error is None or isinstance(error, TransientError)
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before" if stood == "old" else "after", end="exact after a retry", error=error)


def lose_commits(
    harness: Harness,
    record: FaultRecord,
    folder: Path,
    lost: Literal["request", "answer"],
    steps: Iterable[str],
) -> None:
    """The line of each step breaks at each of its COMMITs; ``folder`` is where its sockets are."""
    numbers = itertools.count()
    for step in steps:
        for nth in itertools.count():
            number = next(numbers)
            before, after = ("old", "new") if number % 2 == 0 else ("new", "old")
            harness.put(after)
            attempt = Attempt(harness).until(step)
            error: FactloadError | None = None
            with BrokenLine(harness.url, folder / f"line {number}", lost, nth) as line:
                attempt.url = line.url
                try:
                    attempt.run(step)
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


@dataclass(frozen=True)
class Polled:
    """What a reader saw: how often each state, as count and sum; and its longest wait in seconds."""

    seen: Counter[tuple[int, Decimal]]
    longest: float


def poll(url: str, table: str, enough: Path, seconds: float = 0) -> Polled:
    """Ask for count and sum of the load's rows until ``enough`` is there, for so many seconds at least."""
    seen: Counter[tuple[int, Decimal]] = Counter()
    longest, until = 0.0, time.perf_counter() + seconds
    statement = text(f"SELECT count(*), sum(metric) FROM {table} WHERE load_id = :load")
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        while (began := time.perf_counter()) < until or not enough.exists():
            count, total = connection.execute(statement, {"load": LOAD}).one()
            longest = max(longest, time.perf_counter() - began)
            seen[count, total] += 1
    return Polled(seen, longest)
