"""Loads that are killed, frozen, cut off and doubled at random, and tried again until they are published.

make soak        500 loads, or as many as 15 minutes allow; `SEED=…` repeats a run
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
from arena import Arena, make_book, place, publish_old, retried, straight
from test_database_down import end_connections
from victim import Strike, Victim

from factload_demo.postgres import throwaway

BOOKS = {"old": 4_100, "new": 4_050, "corrected": 4_010, "small": 300, "bystander": 60}
POINTS = 120  # of a whole load, more or less
SECONDS = 0.8  # of a whole load, more or less


def kill_at_a_point(arena: Arena, rng: random.Random) -> None:
    strike = Strike(SIGKILL, nth=rng.randrange(POINTS))
    with Victim(functools.partial(straight, arena.feed, arena.url), strike) as victim:
        victim.end()


def kill_at_a_time(arena: Arena, rng: random.Random) -> None:
    with Victim(functools.partial(straight, arena.feed, arena.url)) as victim:
        time.sleep(rng.uniform(0, SECONDS))
        with suppress(ProcessLookupError):  # it was faster
            victim.send(SIGKILL)
        victim.end()


def cut_off(arena: Arena, rng: random.Random) -> None:
    with Victim(functools.partial(straight, arena.feed, arena.url)) as victim:
        time.sleep(rng.uniform(0, SECONDS))
        end_connections(arena)
        victim.end()


def freeze(arena: Arena, rng: random.Random) -> None:
    """A successor loads the same workbook while the first is frozen."""
    strike = Strike(SIGSTOP, nth=rng.randrange(POINTS))
    with Victim(functools.partial(straight, arena.feed, arena.url), strike) as sleeper:
        if sleeper.struck():
            retried(arena)
            sleeper.wake()
            sleeper.end()


def two_at_once(arena: Arena, rng: random.Random) -> None:
    call = functools.partial(straight, arena.feed, arena.url)
    with Victim(call) as one, Victim(call, Strike(SIGKILL, nth=rng.randrange(POINTS))) as other:
        one.end()
        other.end()


FAULTS = [kill_at_a_point, kill_at_a_point, kill_at_a_time, kill_at_a_time, cut_off, freeze, two_at_once]


def soak(arena: Arena, loads: int, seconds: float, rng: random.Random) -> Counter[str]:
    """What was injected, and how often."""
    done: Counter[str] = Counter()
    before = "old"
    ends = time.monotonic() + seconds
    while done.total() < loads and time.monotonic() < ends:
        after = rng.choice([name for name in BOOKS if name not in (before, "bystander")])
        arena.put(after)
        fault = rng.choice(FAULTS)
        done[fault.__name__] += 1
        fault(arena, rng)
        assert arena.stands() in (before, after), fault.__name__
        retried(arena)
        arena.proves(after)
        before = after
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill loads and try them again, at random.")
    parser.add_argument("--loads", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=15.0)
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
        books = [make_book(Path(folder), name, seed, rows) for seed, (name, rows) in enumerate(BOOKS.items())]
        url = server.create_database("soak")
        arena = place(Path(folder) / "a project", url, {book.name: book for book in books}, monkeypatch)
        monkeypatch.setenv("FACTLOAD_IDLE_TIMEOUT", "1")
        publish_old(arena)
        done = soak(arena, chosen.loads, 60 * chosen.minutes, rng)
    print(
        f"{done.total()} loads, each struck once and tried again: no row lost, doubled or half visible "
        f"({', '.join(f'{name} {times}' for name, times in done.most_common())}; seed {chosen.seed}, "
        f"{time.monotonic() - begun:.0f} s)"
    )
