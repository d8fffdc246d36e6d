"""What is staged is altered behind the load's back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from factload.errors import ReconciliationError, TransientError
from tests.chaos.harness import Attempt, Harness, refused
from tests.chaos.reliability import FaultRecord

TAMPERED = [
    # what, the statement, what the message says of the partition
    ("a staged row is dropped", "DELETE FROM {staging} WHERE factload_row = 7", "Facts 2–2001"),
    (
        "a staged row is doubled",
        "INSERT INTO {staging} SELECT * FROM {staging} WHERE factload_row = 3001",
        "Facts 2002–4001",
    ),
    (
        "a staged measure is off by 0.01",
        "UPDATE {staging} SET metric = metric + 0.01 WHERE factload_row = 4010",
        "Facts 4002–4051",
    ),
    (
        "two staged keys are swapped",
        "UPDATE {staging} AS one SET dimension_id = other.dimension_id FROM {staging} AS other "
        "WHERE (one.factload_row, other.factload_row) IN ((8, 9), (9, 8))",
        "Facts 2–2001",
    ),
    (
        "rows of no partition are staged",
        "INSERT INTO {staging} SELECT 1, factload_row, dimension_id, metric FROM {staging} WHERE factload_row = 7",
        "belong to no partition",
    ),
    ("every staged row is gone", "TRUNCATE {staging}", "Facts 2–2001"),
]


def table(when: str, tampered: list[tuple[str, str, str]]) -> list[object]:
    return [
        pytest.param(
            statement,
            named,
            id=what,
            marks=pytest.mark.fault(f"{what} {when}", by="SQL on the staging table"),
        )
        for what, statement, named in tampered
    ]


@pytest.mark.parametrize(("statement", "named"), table("before reconcile", TAMPERED))
def test_reconcile_sees_it_and_names_the_partition(
    harness: Harness, record: FaultRecord, statement: str, named: str
) -> None:
    attempt = Attempt(harness).until("reconcile")
    harness.execute(statement.format(staging=attempt.staging))
    error = refused(attempt.call("reconcile"))
    assert isinstance(error, ReconciliationError)
    assert named in str(error)
    assert harness.stands() == "old"
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="nothing is published; a new attempt is exact", error=error)


@pytest.mark.parametrize(("statement", "named"), table("after reconcile", TAMPERED))
def test_publish_sees_it_before_its_commit(
    harness: Harness, record: FaultRecord, statement: str, named: str
) -> None:
    attempt = Attempt(harness).until("publish")
    harness.execute(statement.format(staging=attempt.staging))
    error = refused(attempt.call("publish"))
    assert isinstance(error, ReconciliationError)
    assert named in str(error)
    assert harness.stands() == "old"
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="nothing is published; a new attempt is exact", error=error)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def alter(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])


@pytest.mark.parametrize("file", ["the partition file", "the dimension map"])
@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(
            harm, marks=pytest.mark.fault(f"a staging file is {what}", by="partition file, dimension map")
        )
        for what, harm in (("cut short", cut), ("altered by one bit", alter), ("gone", Path.unlink))
    ],
)
def test_a_damaged_staging_file_is_noticed(
    harness: Harness, record: FaultRecord, file: str, harm: Callable[[Path], None]
) -> None:
    attempt = Attempt(harness).until("load_partition 2")
    harm(Path(attempt.split.partitions[1].path if file == "the partition file" else attempt.maps[0].path))
    error = refused(attempt.call("load_partition 2"))
    assert isinstance(error, TransientError)
    assert harness.stands() == "old"
    attempt.run("extract_dimension_map")
    attempt.run("split_workbook")
    attempt.go_on("load_partition 2")
    harness.proves("new")
    record.injected(seen="before", end="exact once it is written again")
