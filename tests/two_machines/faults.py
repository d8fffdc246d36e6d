"""What is done to a machine while a load runs, and for how long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import partial

from tests.two_machines.plant import BROKER, DATABASE, STORE, Worker

Fault = tuple[str, Callable[[Worker, float], None]]


def _kill(worker: Worker, seconds: float) -> None:
    worker.kill()
    time.sleep(seconds)
    worker.start()


def _cut_off(port: int | None, worker: Worker, seconds: float) -> None:
    with worker.machine.cut_off(port):
        time.sleep(seconds)


def _refuse(worker: Worker, seconds: float) -> None:
    worker.store.refuses = True
    time.sleep(seconds)
    worker.store.refuses = False


def _slow(worker: Worker, seconds: float) -> None:
    worker.store.waits = 1.0
    time.sleep(seconds)
    worker.store.waits = 0.0


FAULTS: tuple[Fault, ...] = (
    ("worker killed", _kill),
    ("cut off from the store", partial(_cut_off, STORE)),
    ("cut off from the broker", partial(_cut_off, BROKER)),
    ("cut off from the database", partial(_cut_off, DATABASE)),
    ("cut off from everything", partial(_cut_off, None)),
    ("the store answers 503", _refuse),
    ("the store is slow", _slow),
)


def dealt(rng: random.Random) -> Iterator[Fault]:
    """Faults without end: each kind once, in any order, before one comes again."""
    while True:
        yield from rng.sample(FAULTS, len(FAULTS))


def strike(fault: Fault, rng: random.Random, workers: list[Worker]) -> str:
    """The fault on one of the machines, for some seconds; what was done."""
    name, do = fault
    worker, seconds = rng.choice(workers), rng.uniform(1.0, 15.0)
    do(worker, seconds)
    return f"{worker.machine.name} {name} for {seconds:.0f} s"
