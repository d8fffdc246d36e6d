"""What a row, a member and a partition cost, by small loads whose steps are run one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.costs.engine import environment, module_run
from benchmarks.scale.place import FEED, ScalePlace
from benchmarks.scaling_model import TERMS, Costs, Size, sum_of
from benchmarks.tables import PARTITIONED
from benchmarks.warehouse import Warehouse


@dataclass(frozen=True)
class SteppedRun:
    """One small load: its size, step -> what of wall time and processor time it took, and the bytes of its staging
    files by what they hold (rows, members)."""

    size: Size
    steps: dict[str, dict[str, float]]
    staged: dict[str, int]


def run_steps(warehouse: Warehouse, place: ScalePlace, workbooks: Sequence[Path], size: Size) -> SteppedRun:
    """The load of these workbooks, step by step, in a process of its own."""
    warehouse.renew(PARTITIONED, partition=False)
    place.put(workbooks, size.rows_per_partition)
    arguments = [FEED, warehouse.url, str(warehouse.server.pid)]
    found, _ = module_run("benchmarks.scale.stepped", arguments, place.home, environment(place.home))
    return SteppedRun(size, found["steps"], found["staged"])


def costs_of(runs: Sequence[SteppedRun], least: Size, least_cpu: float) -> Costs:
    """The costs that fit the runs best. ``least_cpu``: processor seconds of a command that loads the size ``least``, of
    which what its steps cost is taken off."""
    units: dict[str, dict[str, dict[str, float]]] = {}
    for step, sides in TERMS.items():
        units[step] = {}
        for side, terms in sides.items():
            amounts = [[run.size.amount(term) for term in terms] for run in runs]
            found = fitted(amounts, [run.steps[step][side] for run in runs])
            units[step][side] = dict(zip(terms, found, strict=True))
    largest = max(runs, key=lambda run: run.size.rows)
    many = max(runs, key=lambda run: run.size.members)
    return Costs(
        max(0.0, least_cpu - sum_of(units, "client", least)),
        units,
        largest.staged["rows"] / largest.size.rows,
        many.staged["members"] / many.size.members,
    )


def fitted(amounts: Sequence[Sequence[float]], taken: Sequence[float]) -> list[float]:
    """The costs, none below 0, whose sums come nearest to what was taken, as a share of it."""
    weights = 1 / np.maximum(np.asarray(taken), 0.01)
    matrix, wanted = np.asarray(amounts) * weights[:, None], np.asarray(taken) * weights
    best, least = np.zeros(matrix.shape[1]), float(wanted @ wanted)
    for chosen in _choices(matrix.shape[1]):
        found = np.linalg.lstsq(matrix[:, chosen], wanted, rcond=None)[0]
        costs = np.zeros(matrix.shape[1])
        costs[chosen] = found
        off = matrix @ costs - wanted
        if (found >= 0).all() and float(off @ off) < least:
            best, least = costs, float(off @ off)
    return [float(cost) for cost in best]


def _choices(terms: int) -> Iterator[list[int]]:
    for number in range(1, terms + 1):
        yield from map(list, combinations(range(terms), number))
