"""Partitions by mapped tasks: never more than Airflow's scheduler likes, none lost, and the labels say which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from factload.airflow.mapped import MOST_TASKS, label_of, shared
from factload.load import PartitionFile

FIRST = PartitionFile("1", "Facts 2–101", "", "", "inbox/a.xlsx", "Facts", 2, 101, 100, 0, 0, 100)


def partitions(number: int) -> list[PartitionFile]:
    return [
        replace(
            FIRST, partition_id=str(n), label=f"Facts {n * 100 + 2}–{n * 100 + 101}", last_row=n * 100 + 101
        )
        for n in range(number)
    ]


@pytest.mark.parametrize("number", [0, 1, 2, 99, 100, 101, 199, 200, 201, 999, 1000])
def test_each_partition_is_in_one_task_and_in_its_order(number: int) -> None:
    whole = partitions(number)
    tasks = shared(whole)
    assert [partition for task in tasks for partition in task] == whole
    assert len(tasks) == min(number, MOST_TASKS)
    sizes = {len(task) for task in tasks}
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_up_to_the_bound_each_has_a_task_of_its_own_name() -> None:
    whole = partitions(MOST_TASKS)
    assert [label_of(task) for task in shared(whole)] == [partition.label for partition in whole]


def test_a_label_says_which_rows() -> None:
    first, second, third = partitions(3)
    elsewhere = replace(third, workbook="inbox/b.xlsx", label="b.xlsx Facts 202–301")
    assert label_of([first, second, third]) == "Facts 2–301 (3 partitions)"
    assert label_of([first, elsewhere]) == "Facts 2–101 to b.xlsx Facts 202–301 (2 partitions)"
    assert len({label_of(task) for task in shared(partitions(1000))}) == MOST_TASKS
