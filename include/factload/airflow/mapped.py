"""How a load's partitions are shared among mapped tasks: each has a task, until there would be too many.

Airflow's scheduler slows down with hundreds of mapped tasks (apache/airflow#45991, #29959). A task of several
partitions loads them one after the other, each by a transaction of its own.

What Airflow keeps of a load in its own database must not grow with the load's rows: a task is told the numbers of its
partitions, and finds the rest in the ledger; it answers with sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from factload.errors import Superseded
from factload.load import PartitionCounts, PartitionFile

MOST_TASKS = 100


@dataclass(frozen=True, slots=True)
class Share:
    """What one task loads: ``number`` partitions from the one numbered ``first`` on, in the ledger's order. ``label``
    says which rows these are."""

    label: str
    first: int
    number: int

    @classmethod
    def handed_on(cls, value: Any) -> Share:
        """The share that ``split_workbook`` handed on, as a mapping. Raises ``Superseded`` for what an older factload
        handed on, in a run that it had begun."""
        if not isinstance(value, Mapping):
            raise Superseded(
                "share_outdated",
                "split_workbook of this run was run by an older factload, which handed on something else",
                remedy="Clear the run from split_workbook on",
            )
        return cls(**value)


def shares(partitions: Sequence[PartitionFile]) -> list[Share]:
    """The partitions, in their order, by tasks: at most ``MOST_TASKS``, whose numbers of partitions differ by one at
    most."""
    tasks = min(len(partitions), MOST_TASKS)
    bounds = [number * len(partitions) // tasks for number in range(tasks + 1)] if tasks else [0]
    return [Share(label_of(partitions[first:end]), first, end - first) for first, end in pairwise(bounds)]


def label_of(partitions: Sequence[PartitionFile]) -> str:
    """What a task loads, for its place in Airflow's list: ``Facts 2–100001``, ``Facts 2–300001 (3 partitions)``."""
    first, last = partitions[0], partitions[-1]
    if len(partitions) == 1:
        return first.label
    if (first.workbook, first.sheet) == (last.workbook, last.sheet):
        rows = first.label.removesuffix(f"{first.last_row}") + f"{last.last_row}"
    else:
        rows = f"{first.label} to {last.label}"
    return f"{rows} ({len(partitions)} partitions)"


def counted(partitions: Iterable[PartitionCounts]) -> dict[str, int]:
    """What a task has loaded, as it is handed on: rows, by what became of them."""
    found = dict.fromkeys(("source", "blank", "left_out", "rejected", "staged"), 0)
    for counts in partitions:
        for name in found:
            found[name] += getattr(counts, name)
    return found
