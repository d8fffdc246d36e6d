"""Partitions by mapped tasks: never more than Airflow's scheduler likes, none lost, and the labels say which. What Airflow
keeps of them does not grow with the rows."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from factload.airflow.mapped import MOST_TASKS, Share, counted, label_of, shares
from factload.errors import Superseded
from factload.load import PartitionCounts, PartitionFile

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
    tasks = shares(partitions(number))
    assert [n for task in tasks for n in range(task.first, task.first + task.number)] == list(range(number))
    assert len(tasks) == min(number, MOST_TASKS)
    sizes = {task.number for task in tasks}
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_up_to_the_bound_each_has_a_task_of_its_own_name() -> None:
    whole = partitions(MOST_TASKS)
    assert [task.label for task in shares(whole)] == [partition.label for partition in whole]


def test_a_label_says_which_rows() -> None:
    first, second, third = partitions(3)
    elsewhere = replace(third, workbook="inbox/b.xlsx", label="b.xlsx Facts 202–301")
    assert label_of([first, second, third]) == "Facts 2–301 (3 partitions)"
    assert label_of([first, elsewhere]) == "Facts 2–101 to b.xlsx Facts 202–301 (2 partitions)"
    assert len({task.label for task in shares(partitions(1000))}) == MOST_TASKS


def test_what_airflow_is_handed_has_a_bound_whatever_the_rows() -> None:
    """A task more costs its numbers and its label; from a hundred partitions on there is no task more."""
    few, many = (len(json.dumps([asdict(task) for task in shares(partitions(n))])) for n in (100, 10_000))
    assert many < 1.5 * few < 15_000  # the labels name larger rows, and how many partitions
    one = PartitionCounts("1", "Facts 2–101", 100, 1, 2, 97, {"metric": "1.5"}, {"metric": "9" * 40})
    assert counted([]) == {"source": 0, "blank": 0, "left_out": 0, "rejected": 0, "staged": 0}
    assert counted([one] * 10) == {"source": 1000, "blank": 10, "left_out": 0, "rejected": 20, "staged": 970}


def test_a_share_of_an_older_factload_is_refused_with_a_sentence() -> None:
    own = Share("Facts 2–301 (3 partitions)", 0, 3)
    assert Share.handed_on(asdict(own)) == own
    with pytest.raises(Superseded, match="older factload") as refused:
        Share.handed_on([asdict(FIRST)])
    assert "Clear the run from split_workbook on" in str(refused.value)
