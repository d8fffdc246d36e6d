"""How a load's partitions are shared among mapped tasks: each has a task, until there would be too many.

Airflow's scheduler slows down with hundreds of mapped tasks (apache/airflow#45991, #29959). A task of several
partitions loads them one after the other, each by a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from factload.load import PartitionFile

MOST_TASKS = 100


def shared(partitions: Sequence[PartitionFile]) -> list[Sequence[PartitionFile]]:
    """The partitions, in their order, by tasks: at most ``MOST_TASKS``, whose numbers of partitions differ by one at
    most."""
    tasks = min(len(partitions), MOST_TASKS)
    bounds = [number * len(partitions) // tasks for number in range(tasks + 1)] if tasks else [0]
    return [partitions[first:end] for first, end in pairwise(bounds)]


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
