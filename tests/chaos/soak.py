"""Loads that are killed, frozen, cut off and doubled at random, and tried again until they are published.

make soak        500 loads, or as many as 15 minutes allow; `SEED=…` repeats a run, `MODE=exchange` publishes by exchange
"""

from __future__ import annotations

import argparse
import functools
import random
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGSTOP

import pytest

from factload_demo.postgres import throwaway
from tests.chaos.faulty_process import Fault, FaultyProcess
from tests.chaos.harness import (
    EXCHANGE,
    FEED,
    PARTITIONED,
    TABLES,
    Harness,
    make_workbook,
    place,
    publish_old,
    retried,
    straight,
)

WORKBOOKS = {"old": 4_100, "new": 4_050, "corrected": 4_010, "small": 300, "control": 60}
POINTS = 250  # of a whole load, more or less: by exchange; in mode replace half of them
SECONDS = 0.8  # of a whole load, more or less
MODES = {"replace": (FEED, TABLES), "exchange": (EXCHANGE, PARTITIONED)}


def kill_at_a_point(harness: Harness, rng: random.Random) -> None:
    fault = Fault(SIGKILL, nth=rng.randrange(POINTS))
    with FaultyProcess(functools.partial(straight, harness.feed, harness.url), fault) as process:
        process.end()


def kill_at_a_time(harness: Harness, rng: random.Random) -> None:
    with FaultyProcess(functools.partial(straight, harness.feed, harness.url)) as process:
        time.sleep(rng.uniform(0, SECONDS))
        with suppress(ProcessLookupError):  # it was faster
            process.send(SIGKILL)
        process.end()


def cut_off(harness: Harness, rng: random.Random) -> None:
    with FaultyProcess(functools.partial(straight, harness.feed, harness.url)) as process:
        time.sleep(rng.uniform(0, SECONDS))
        harness.end_connections()
        process.end()


def freeze(harness: Harness, rng: random.Random) -> None:
    """A successor loads the same workbook while the first is frozen."""
    fault = Fault(SIGSTOP, nth=rng.randrange(POINTS))
    with FaultyProcess(functools.partial(straight, harness.feed, harness.url), fault) as sleeper:
        if sleeper.reached():
            retried(harness)
            sleeper.wake()
            sleeper.end()


def two_at_once(harness: Harness, rng: random.Random) -> None:
    call = functools.partial(straight, harness.feed, harness.url)
    with FaultyProcess(call) as one, FaultyProcess(call, Fault(SIGKILL, nth=rng.randrange(POINTS))) as other:
        one.end()
        other.end()


FAULTS = [kill_at_a_point, kill_at_a_point, kill_at_a_time, kill_at_a_time, cut_off, freeze, two_at_once]


def soak(harness: Harness, loads: int, seconds: float, rng: random.Random) -> Counter[str]:
    """What was injected, and how often."""
    done: Counter[str] = Counter()
    before = "old"
    ends = time.monotonic() + seconds
    while done.total() < loads and time.monotonic() < ends:
        after = rng.choice([name for name in WORKBOOKS if name not in (before, "control")])
        harness.put(after)
        fault = rng.choice(FAULTS)
        done[fault.__name__] += 1
        fault(harness, rng)
        assert harness.stands() in (before, after), fault.__name__
        retried(harness)
        harness.proves(after)
        before = after
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill loads and try them again, at random.")
    parser.add_argument("--loads", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--mode", choices=MODES, default="replace")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    rng = random.Random(chosen.seed)  # noqa: S311 - a test
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as monkeypatch,
        throwaway() as server,
    ):
        workbooks = [
            make_workbook(Path(folder), name, seed, rows)
            for seed, (name, rows) in enumerate(WORKBOOKS.items())
        ]
        url = server.create_database("soak")
        feed, tables = MODES[chosen.mode]
        named = {workbook.name: workbook for workbook in workbooks}
        harness = place(Path(folder) / "a project", url, named, monkeypatch, feed)
        publish_old(harness, tables)
        monkeypatch.setenv("FACTLOAD_IDLE_TIMEOUT", "1")
        done = soak(harness, chosen.loads, 60 * chosen.minutes, rng)
    print(
        f"{done.total()} loads in mode {chosen.mode}, each with one fault and tried again: no row lost, doubled or half visible "
        f"({', '.join(f'{name} {times}' for name, times in done.most_common())}; seed {chosen.seed}, "
        f"{time.monotonic() - begun:.0f} s)"
    )
