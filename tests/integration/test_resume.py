"""A load that broke half-way goes on from what is done, whichever of its tasks is run again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from factload import steps
from factload.errors import ReconciliationError, Superseded, TransientError
from factload.load import PartitionFile
from factload.postgres.database import engine_for
from factload.reports.report import read_status
from factload.split.recorded import recorded_files
from tests.driver import SteppedLoad
from tests.integration.opened import Opened
from tests.integration.place import PERIOD, Place


@pytest.fixture
def half(place: Place) -> Opened:
    """Three partitions, of which the first two are staged."""
    place.workbook([("A1" if i % 2 else "B2", i) for i in range(5_000)] + [("nobody", 1)])
    opened = Opened(place, place.feed())
    opened.load_partition(0)
    opened.load_partition(1)
    return opened


def without_files(opened: Opened) -> None:
    """From here on, whoever really loads a partition fails."""
    for partition in opened.split.partitions:
        Path(partition.path).unlink()


def finish(opened: Opened) -> None:
    opened.load_all()
    opened.reconcile()
    assert opened.publish() == 5_000
    assert opened.place.rows("SELECT count(*), sum(metric)::int FROM fact_sales") == [(5_000, 12_497_500)]


def test_a_partition_that_is_staged_is_not_loaded_again(half: Opened) -> None:
    first = half.load_partition(2)
    without_files(half)
    assert half.load_partition(2) == first
    assert (first.source, first.rejected, first.staged) == (1_001, 1, 1_000)


def test_a_new_attempt_goes_on_from_the_partitions_that_are_done(place: Place, half: Opened) -> None:
    again = Opened(place, place.feed())
    Path(again.split.partitions[0].path).unlink()
    Path(again.split.partitions[1].path).unlink()
    finish(again)


def test_another_workbook_or_feed_begins_anew(place: Place, half: Opened) -> None:
    place.workbook([("A1", i) for i in range(4_000)])
    again = Opened(place, place.feed())
    without_files(again)
    with pytest.raises(TransientError, match="is gone"):
        again.load_partition(0)


def test_another_state_of_the_dimension_is_loaded(place: Place, half: Opened) -> None:
    place.execute("UPDATE dim_product SET primary_synthetic_key = 100 WHERE business_key = 'A1'")
    again = Opened(place, place.feed())
    again.load_all()
    again.reconcile()
    again.publish()
    assert place.rows("SELECT dimension_id, count(*) FROM fact_sales GROUP BY 1 ORDER BY 1") == [
        (2, 2_500),
        (100, 2_500),
    ]


def test_another_way_to_cut_the_sheet_leaves_nothing_behind(place: Place, half: Opened) -> None:
    again = Opened(place, place.feed({"rows_per_partition": 2500}))
    assert len(again.split.partitions) == 3
    finish(again)


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM {staging} WHERE factload_row = 7",
        "INSERT INTO {staging} SELECT * FROM {staging} WHERE factload_row = 7",
        "UPDATE {staging} SET metric = metric + 0.01 WHERE factload_row = 7",
    ],
)
def test_a_partition_that_did_not_reconcile_is_loaded_again_and_no_other(
    half: Opened, tampering: str
) -> None:
    half.load_all()
    half.place.execute(tampering.format(staging=half.staging))
    with pytest.raises(ReconciliationError, match="Facts 2–2001"):
        half.reconcile()
    Path(half.split.partitions[1].path).unlink()
    Path(half.split.partitions[2].path).unlink()
    finish(half)


def test_rows_of_no_partition_are_gone_from_the_next_attempt(place: Place, half: Opened) -> None:
    half.load_all()
    place.execute(f"INSERT INTO {half.staging} VALUES (1, 1, 1, 0)")
    with pytest.raises(ReconciliationError, match="belong to no partition"):
        half.reconcile()
    finish(Opened(place, place.feed()))


def test_rows_that_the_ledger_has_forgotten_are_not_doubled(place: Place, half: Opened) -> None:
    """Another content's publication forgets this one's partitions; its staging table stays if nobody cleans."""
    first = (place.home / "inbox/sales_2026-11-05.xlsx").read_bytes()
    place.workbook([("A1", 1)])
    other = Opened(place, place.feed())
    other.load_all()
    other.reconcile()
    other.publish()
    (place.home / "inbox/sales_2026-11-05.xlsx").write_bytes(first)
    again = Opened(place, place.feed())
    assert again.staging == half.staging
    assert place.rows(f"SELECT count(*) FROM {again.staging}") == [(0,)]
    finish(again)


def test_a_partition_that_was_never_staged_reads_no_staged_rows(place: Place, half: Opened) -> None:
    """Deleting what an earlier delivery left reads the whole table: only where there was one."""
    deleted: list[str] = []
    engine = engine_for(place.url)

    def note(*seen: Any) -> None:
        if str(seen[2]).startswith("DELETE FROM factload_staging"):
            deleted.append(seen[2])

    event.listen(engine, "before_cursor_execute", note)
    half.load_partition(2)
    assert deleted == []
    half.change_dimension()
    half.load_partition(2)
    assert len(deleted) == 1
    event.remove(engine, "before_cursor_execute", note)
    half.load_all()
    finish(half)


@pytest.mark.parametrize("loss", ["DROP TABLE {staging}", "TRUNCATE {staging}"])
def test_staged_rows_that_are_gone_are_staged_again(place: Place, half: Opened, loss: str) -> None:
    half.load_all()
    place.execute(loss.format(staging=half.staging))
    finish(Opened(place, place.feed()))


def test_publish_alone_is_enough_after_a_fault_in_it(place: Place, half: Opened) -> None:
    half.load_all()
    half.reconcile()
    fault = TransientError("database_unreachable", "the database did not answer")
    steps.record_failure(half.load, fault, database=place.url)
    assert half.publish() == 5_000


def test_after_a_fault_publish_proves_anew(place: Place, half: Opened) -> None:
    half.load_all()
    half.reconcile()
    steps.record_failure(half.load, TransientError("x", "x"), database=place.url)
    place.execute(f"UPDATE {half.staging} SET metric = metric + 1 WHERE factload_row = 7")
    with pytest.raises(ReconciliationError, match="control total of metric is off by 1"):
        half.publish()
    assert place.facts() == []


def test_every_task_of_a_published_load_may_be_cleared(place: Place, half: Opened) -> None:
    finish(half)
    before = place.rows("SELECT * FROM fact_sales ORDER BY id")
    counts = [half.load_partition(number) for number in range(3)]
    half.run("clean_staging")

    half.run("split_workbook")
    half.run("extract_dimension_map")
    again = [half.load_partition(number) for number, _ in enumerate(half.split.partitions)]
    half.reconcile()
    assert half.publish() == 5_000
    half.run("clean_staging")
    assert again == counts
    assert place.rows("SELECT * FROM fact_sales ORDER BY id") == before
    assert list((place.home / ".staging").iterdir()) == []
    assert place.rows("SELECT count(*) FROM factload.attempts") == [(1,)]


def test_a_published_load_lists_the_partitions_it_had(place: Place, half: Opened) -> None:
    finish(half)
    with place.engine.connect() as connection:
        recorded = recorded_files(connection, half.load)

    def told(files: tuple[PartitionFile, ...]) -> list[tuple[str, int, int, int]]:
        return [(f.partition_id, f.source, f.blank, f.rows) for f in files]

    assert told(recorded) == told(half.split.partitions)


def test_a_partition_is_found_by_its_number_as_it_was_split(place: Place, half: Opened) -> None:
    split = [replace(partition, rejected=0) for partition in half.split.partitions]
    found = steps.recorded_partitions(half.load, database=place.url)
    assert [replace(partition, rejected=0) for partition in found] == split
    some = steps.recorded_partitions(half.load, 1, 2, database=place.url)
    assert [partition.label for partition in some] == [partition.label for partition in split[1:]]
    with pytest.raises(Superseded, match="no 2 partitions from number 3 on"):
        steps.recorded_partitions(half.load, 2, 2, database=place.url)


def test_a_second_run_after_all_partitions_are_staged_loads_none(place: Place, half: Opened) -> None:
    half.load_all()
    opening = partial(steps.open_load, place.feed(), PERIOD)
    second = SteppedLoad(opening, half.feed, place.url).until("load_partition")
    assert [p.sha256 for p in second.split.partitions] == [p.sha256 for p in half.split.partitions]
    assert [m.sha256 for m in second.maps] == [m.sha256 for m in half.maps]


def test_the_status_says_where_a_load_stands_and_what_resumes_it(place: Place, half: Opened) -> None:
    def says() -> str:
        [line] = read_status(place.url, None)
        return str(line["next"])

    run = "`factload run sales --period 2026-11-05`"
    assert says() == (
        "Under way, or cut short without a word: 2 of 3 partitions are staged; readers see nothing of it. "
        f"If nothing works on it, {run} goes on from there."
    )
    steps.record_failure(half.load, TransientError("x", "x"), database=place.url)
    assert says().startswith("Ended by a fault: 2 of 3 partitions are staged; readers see nothing of it. ")
    half.load_all()
    half.reconcile()
    assert says().startswith(
        f"Everything is staged and adds up; readers see nothing of it. {run} publishes it"
    )
    half.publish()
    assert says() == "Published. Nothing to do; a corrected workbook replaces its rows."
    Opened(place, place.feed())
    assert "3 of 3 partitions are staged; readers see what was published before" in says()
