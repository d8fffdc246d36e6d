"""Measure the demo's load with a shared folder and with a store, then strike loads at random; see the package."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from factload_demo import sample
from tests.two_machines.faults import FAULTS, Fault, dealt, strike
from tests.two_machines.network import Machine
from tests.two_machines.plant import Plant, running

FIRST = date(2026, 11, 5)
ROWS, MEMBERS, PARTITIONS = 16_000, 2_000, 8  # of a load that is struck


def main() -> int:
    """0 when every load ended exact."""
    parser = argparse.ArgumentParser(prog="python -m tests.two_machines", description=__doc__)
    parser.add_argument("--loads", type=int, default=30, help="loads that are struck (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeats a choice of faults")
    parser.add_argument(
        "--rows",
        type=int,
        default=sample.ROWS,
        help="of the measured load; 0: none is (default: %(default)s)",
    )
    chosen = parser.parse_args()
    if os.geteuid() != 0 or not all(map(shutil.which, ("redis-server", "ip", "iptables"))):
        print("This needs root, `ip` (of iproute2), iptables and redis-server.", file=sys.stderr)
        return 2
    exact = not chosen.rows or _compare(chosen.rows)
    with _plant(ROWS // PARTITIONS, shared=False) as plant:
        sample.make_dimension(plant.warehouse, MEMBERS)
        rng = random.Random(chosen.seed)  # noqa: S311 - a choice of faults, not a secret
        faults = dealt(rng)
        outcomes = [
            _strike(plant, FIRST + timedelta(days=number), rng, faults) for number in range(chosen.loads)
        ]
    struck = Counter(kind for kinds, _ in outcomes for kind in kinds)
    right = sum(exact for _, exact in outcomes)
    print(f"seed {chosen.seed}: {struck.total()} faults in {chosen.loads} loads, {right} of them exact")
    print("; ".join(f"{kind} {struck[kind]}" for kind, _ in FAULTS))
    return 0 if exact and right == chosen.loads else 1


@contextmanager
def _plant(rows_per_partition: int, *, shared: bool) -> Iterator[Plant]:
    folder = Path(tempfile.mkdtemp(prefix="factload-machines-"))
    try:
        with running(folder, [Machine(1), Machine(2)], rows_per_partition, shared=shared) as plant:
            yield plant
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _compare(rows: int) -> bool:
    """Print rows a second with a shared folder and with a store; whether both loads were exact."""
    rates = []
    for name, shared in (("a shared folder", True), ("a store", False)):
        with _plant(100_000, shared=shared) as plant:
            sample.make_dimension(plant.warehouse)
            right = plant.workbook(FIRST, rows, sample.MEMBERS, sample.SEED)
            plant.ended(plant.start(FIRST))  # the first one finds nothing warm
            began = time.monotonic()
            state = plant.ended(plant.start(FIRST))
            rates.append(rows / (time.monotonic() - began))
            if (state, plant.facts(FIRST)) != ("success", (right.staged, right.control_total)):
                print(f"{name}: {state}, and not exact", flush=True)
                return False
            print(
                f"{name}: {rates[-1]:,.0f} rows a second, exact; partitions {plant.staged_by(FIRST)}",
                flush=True,
            )
    print(f"a store's rate is {rates[1] / rates[0]:.2f} of a shared folder's", flush=True)
    return True


def _strike(
    plant: Plant, period: date, rng: random.Random, faults: Iterator[Fault]
) -> tuple[list[str], bool]:
    """A load while faults come one after the other, until it has ended: their kinds, and whether it was exact."""
    right = plant.workbook(period, ROWS, MEMBERS, rng.randrange(1 << 30))
    began = time.monotonic()
    run_id = plant.start(period)
    kinds: list[str] = []
    told: list[str] = []
    # Not in a thread: a worker that one starts again is ended as the thread ends.
    for _ in range(rng.randint(3, 6)):
        time.sleep(rng.uniform(0.5, 6.0))
        if not plant.unfinished(run_id):
            break
        fault = next(faults)
        told.append(strike(fault, rng, plant.workers))
        kinds.append(fault[0])
    state = plant.ended(run_id)
    exact = (state, plant.facts(period)) == ("success", (right.staged, right.control_total))
    print(
        f"{period} {state} after {time.monotonic() - began:.0f} s, exact: {exact}; {'; '.join(told)}",
        flush=True,
    )
    return kinds, exact


if __name__ == "__main__":
    sys.exit(main())
