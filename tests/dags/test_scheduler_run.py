"""The DAG on a real scheduler: partitions side by side, a backfill, and what may go wrong on the way.

The warehouse is PostgreSQL, the workbooks are the demo's, made small; nothing is simulated.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from factload.ledger.migrations import is_installed
from factload.ledger.tables import attempts, partitions
from factload.load import Load
from factload_demo import airflow_site, sample
from factload_demo.airflow_api import UNFINISHED, AirflowApi, TaskInstance
from factload_demo.airflow_place import Place
from factload_demo.airflow_site import Site
from factload_demo.postgres import Server, find, start, throwaway
from factload_demo.setup import PROJECT, connection_uri
from tests.feeds import ABSENT, changed
from tests.forked_tasks import import_before_the_fork

DAG_ID = "load_sales"
ROWS_PER_PARTITION, PARTITIONS, MEMBERS = 2_000, 4, 2_000
ROWS = PARTITIONS * ROWS_PER_PARTITION
SLOTS = 8  # of the warehouse's pool, and processes that Airflow runs tasks in
SHARE = 6  # of the slots: as many as the partitions of one feed may fill
SMALL_FEEDS = [f"small_{number}" for number in range(1, 10)]
SECONDS = 240.0
ASKED_EVERY = 1.0  # seconds: Airflow's answer takes it some of the processor that its tasks need

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Plant:
    """A running Airflow with a feed of small partitions, its warehouse, and its inbox."""

    site: Site
    api: AirflowApi
    warehouse: str
    home: Path

    def workbook(self, period: str, seed: int, rows: int = ROWS, feed: str = "sales") -> sample.Expected:
        """Put the workbook of a period into the inbox."""
        path = self.home / "inbox" / f"{feed}_{period}.xlsx"
        return sample.make_workbook(path, rows, MEMBERS, seed)

    def trigger(self, period: str) -> str:
        """Start a run; returns its id."""
        run_id = f"test__{period}"
        self.api.trigger(DAG_ID, run_id, {"period": period})
        return run_id

    def ended(self, run_id: str, dag_id: str = DAG_ID) -> str:
        """The state in which the run ended."""
        wait_for(lambda: self.api.run_state(dag_id, run_id) not in UNFINISHED, "the run's end", ASKED_EVERY)
        return self.api.run_state(dag_id, run_id)

    def clear(self, run_id: str, task: str | tuple[str, int]) -> None:
        """Clear a task, or one mapped copy of it, and all that follows."""
        chosen = {"task_ids": [task], "include_downstream": True, "only_failed": False}
        self.api.call(
            "POST",
            f"/api/v2/dags/{DAG_ID}/clearTaskInstances",
            json=chosen | {"dag_run_id": run_id, "dry_run": False},
        )

    def backfill(self, start: str, end: str, reprocess: str = "none") -> dict[str, str]:
        """Run the days from `start` to before `end`; of all days that were ever backfilled, how their runs ended."""
        body = {"dag_id": DAG_ID, "from_date": f"{start}T00:00:00Z", "to_date": f"{end}T00:00:00Z"}
        made = self.api.call("POST", "/api/v2/backfills", json=body | {"reprocess_behavior": reprocess})
        path = f"/api/v2/backfills/{made['id']}"
        wait_for(
            lambda: self.api.call("GET", path)["completed_at"] is not None, "the backfill's end", ASKED_EVERY
        )
        runs = self.api.call("GET", f"/api/v2/dags/{DAG_ID}/dagRuns", params={"run_type": "backfill"})
        return {run["logical_date"][:10]: run["state"] for run in runs["dag_runs"]}

    def tries(self, day: str) -> int:
        """How often open_load of a backfilled day was tried."""
        runs = self.api.call("GET", f"/api/v2/dags/{DAG_ID}/dagRuns", params={"run_type": "backfill"})
        [run_id] = [r["dag_run_id"] for r in runs["dag_runs"] if r["logical_date"].startswith(day)]
        found = self.api.task_instances(DAG_ID, run_id)
        return next(instance.try_number for instance in found if instance.task_id == "open_load")

    def partitions(self, run_id: str) -> list[TaskInstance]:
        """The run's mapped copies of load_partition."""
        found = self.api.task_instances(DAG_ID, run_id)
        return [
            instance for instance in found if instance.task_id == "load_partition" and instance.map_index >= 0
        ]

    def facts(self, period: str, feed: str = "sales") -> tuple[int, str]:
        """Count and exact sum of the period's fact rows."""
        facts = sample.fact_sales
        of_load = select(func.count(), func.sum(facts.c.metric)).where(facts.c.load_id == f"{feed}@{period}")
        with create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            count, total = connection.execute(of_load).one()
        return count, str(total)

    def is_split(self, period: str) -> bool:
        """Whether the ledger knows the partitions of the period's load."""
        of_load = select(func.count()).where(partitions.c.load_id == f"sales@{period}")
        with create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            return is_installed(connection) and bool(connection.scalar(of_load))


@pytest.fixture(scope="module")
def warehouse_server() -> Iterator[Server]:
    """A server of the warehouse's own: it may crash, and Airflow's metadata live on."""
    with throwaway() as server:
        yield server


@pytest.fixture(scope="module")
def plant(
    airflow_database: Callable[[str], str],
    warehouse_server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Plant]:
    warehouse = warehouse_server.create_database("warehouse")
    home = tmp_path_factory.mktemp("project")
    feed = (PROJECT / "include/feeds/sales.yaml").read_text()
    (home / "include/feeds").mkdir(parents=True)
    feed = changed(feed, {"rows_per_partition": ROWS_PER_PARTITION, "parallelism": 64})
    (home / "include/feeds/sales.yaml").write_text(feed)
    for name in SMALL_FEEDS:
        small = {"feed": name, "schedule": ABSENT, "workbook.path": f"inbox/{name}_{{period}}.xlsx"}
        (home / f"include/feeds/{name}.yaml").write_text(changed(feed, small))
    sample.make_dimension(warehouse, MEMBERS)
    place = Place(
        project=PROJECT,
        folder=home / "airflow",
        metadata_url=airflow_database("scheduler_run"),
        variables={
            "AIRFLOW_CONN_WAREHOUSE": connection_uri(warehouse),
            "FACTLOAD_HOME": str(home),
            "FACTLOAD_IDLE_TIMEOUT": "5",
            "FACTLOAD_LOCK_TIMEOUT": "600",  # what a test holds back must not give up
            "FACTLOAD_WAREHOUSE_SLOTS": str(SLOTS),
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "1",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
        },
        port=0,
    )
    import_before_the_fork(place.folder)
    airflow_site.note_migrated(place)
    with airflow_site.running(place) as site:
        yield Plant(site, AirflowApi(site), warehouse, home)


def test_partitions_are_loaded_side_by_side(plant: Plant) -> None:
    expected = plant.workbook("2026-11-05", seed=1)
    run_id = plant.trigger("2026-11-05")

    assert plant.ended(run_id) == "success"
    copies = plant.partitions(run_id)
    assert plant.facts("2026-11-05") == (expected.staged, expected.control_total)
    assert len(copies) >= PARTITIONS
    assert len({copy.label for copy in copies}) == len(copies), "labels tell them apart"
    assert any(overlap(*pair) for pair in combinations(copies, 2))


def test_a_killed_partition_is_loaded_again_and_no_row_twice(plant: Plant) -> None:
    expected = plant.workbook("2026-11-06", seed=2)
    run_id = plant.trigger("2026-11-06")
    wait_for(lambda: plant.is_split("2026-11-06"), "the workbook to be split")
    with partitions_held_back(plant.warehouse) as waiting:
        wait_for(lambda: waiting() > 0, "a partition in the middle of its transaction")
        killed = next(p for p in plant.partitions(run_id) if p.state == "running")
        process_of(plant.site, killed).send_signal(signal.SIGKILL)
        wait_for(
            lambda: state_of(plant, run_id, killed) != "running", "Airflow to notice the death", ASKED_EVERY
        )

    assert plant.ended(run_id) == "success"
    tries = {partition.map_index: partition.try_number for partition in plant.partitions(run_id)}
    assert tries.pop(killed.map_index) == 2
    assert set(tries.values()) == {1}
    assert plant.facts("2026-11-06") == (expected.staged, expected.control_total)


def test_a_worker_that_sleeps_past_its_heartbeat_adds_nothing_when_it_wakes(plant: Plant) -> None:
    expected = plant.workbook("2026-11-07", seed=3)
    run_id = plant.trigger("2026-11-07")
    wait_for(lambda: plant.is_split("2026-11-07"), "the workbook to be split")
    with partitions_held_back(plant.warehouse) as waiting:
        wait_for(lambda: waiting() > 0, "a partition in the middle of its transaction")
        sleeper = next(p for p in plant.partitions(run_id) if p.state == "running")
        task = process_of(plant.site, sleeper)
        supervisor = task.parent()  # sends the heartbeats
        assert supervisor is not None
        frozen = [supervisor, task]
        for process in frozen:
            process.suspend()
    try:
        wait_for(
            lambda: state_of(plant, run_id, sleeper) != "running",
            "Airflow to miss the heartbeat",
            ASKED_EVERY,
        )
        assert plant.ended(run_id) == "success"
        right = (expected.staged, expected.control_total)
        assert plant.facts("2026-11-07") == right
    finally:
        for process in frozen:
            process.resume()
    wait_for(lambda: not alive(task), "the woken worker to end")
    assert plant.facts("2026-11-07") == right


def test_the_warehouse_crashes_in_the_middle(plant: Plant, warehouse_server: Server) -> None:
    expected = plant.workbook("2026-11-08", seed=4)
    run_id = plant.trigger("2026-11-08")
    wait_for(lambda: plant.is_split("2026-11-08"), "the workbook to be split")
    with suppress(DBAPIError), partitions_held_back(plant.warehouse) as waiting:
        wait_for(lambda: waiting() > 0, "a partition in the middle of its transaction")
        crash(warehouse_server)
        start(warehouse_server.data_dir, attached=True)

    assert plant.ended(run_id) == "success"
    assert plant.facts("2026-11-08") == (expected.staged, expected.control_total)


def test_one_mapped_task_is_cleared_after_success(plant: Plant) -> None:
    before = plant.facts("2026-11-05")
    run_id = "test__2026-11-05"
    plant.clear(run_id, ("load_partition", 3))

    assert plant.ended(run_id) == "success"
    assert next(p for p in plant.partitions(run_id) if p.map_index == 3).try_number == 2
    assert plant.facts("2026-11-05") == before


def test_a_shorter_workbook_is_loaded_by_fewer_mapped_tasks(plant: Plant) -> None:
    """The run's copies that are no longer needed hold nothing up, and leave no rows."""
    run_id = "test__2026-11-05"
    shorter = plant.workbook("2026-11-05", seed=5, rows=ROWS // 2)
    plant.clear(run_id, "open_load")
    assert plant.ended(run_id) == "success"
    assert plant.facts("2026-11-05") == (shorter.staged, shorter.control_total)
    assert sum(copy.state == "success" for copy in plant.partitions(run_id)) == PARTITIONS // 2

    plant.clear(run_id, "split_workbook")
    assert plant.ended(run_id) == "success"
    assert plant.facts("2026-11-05") == (shorter.staged, shorter.control_total)


def test_nine_small_feeds_are_not_held_up_by_a_huge_one(plant: Plant) -> None:
    """All copies of the huge one's task that may run at once are held, more of them wait, and the others go on."""
    day = "2026-11-09"
    huge = plant.workbook(day, seed=7, rows=(SLOTS + 1) * ROWS_PER_PARTITION)
    small = {
        feed: plant.workbook(day, seed, ROWS_PER_PARTITION, feed)
        for seed, feed in enumerate(SMALL_FEEDS, start=20)
    }
    run_id = plant.trigger(day)
    wait_for(lambda: plant.is_split(day), "the workbook to be split")
    with staging_held_back(plant.warehouse, day) as waiting:
        wait_for(lambda: waiting() >= SHARE, "the huge one's share of the slots to be full")
        for feed in small:
            plant.api.trigger(f"load_{feed}", run_id, {"period": day})
        assert {plant.ended(run_id, f"load_{feed}") for feed in small} == {"success"}
        assert waiting() == SHARE
        assert plant.facts(day) == (0, "None")
    assert plant.ended(run_id) == "success"
    assert plant.facts(day) == (huge.staged, huge.control_total)
    right = {feed: (expected.staged, expected.control_total) for feed, expected in small.items()}
    assert {feed: plant.facts(day, feed) for feed in small} == right


def test_a_backfill_takes_each_days_workbook_and_reprocesses_what_it_is_told_to(plant: Plant) -> None:
    days = ["2026-11-01", "2026-11-02", "2026-11-03"]
    missing = days[1]
    expected = {day: plant.workbook(day, seed, rows=2_000) for seed, day in enumerate(days, start=10)}
    right = {day: (of_day.staged, of_day.control_total) for day, of_day in expected.items()}
    late = (plant.home / f"inbox/sales_{missing}.xlsx").rename(plant.home / "late.xlsx")
    whole = ("2026-11-01", "2026-11-04")

    # Every day takes its own workbook; the one that has none fails, at once and alone.
    assert plant.backfill(*whole) == dict.fromkeys(days, "success") | {missing: "failed"}
    assert {day: plant.facts(day)[0] for day in days} == {day: right[day][0] for day in days} | {missing: 0}

    # "none" leaves the days that ran alone, however they ended; "failed" runs those that failed.
    late.rename(plant.home / f"inbox/sales_{missing}.xlsx")
    assert plant.backfill(*whole, reprocess="none")[missing] == "failed"
    assert plant.backfill(*whole, reprocess="failed") == dict.fromkeys(days, "success")
    assert {day: plant.facts(day) for day in days} == right
    assert [plant.tries(day) for day in days] == [1, 2, 1]

    # "completed" runs them all, and finds that there is nothing to change; an earlier day may come after a later one.
    plant.workbook("2026-10-31", 9, rows=2_000)
    assert plant.backfill("2026-10-31", "2026-11-04", reprocess="completed") == dict.fromkeys(
        ["2026-10-31", *days], "success"
    )
    assert [plant.tries(day) for day in days] == [2, 3, 2]
    assert {day: plant.facts(day) for day in days} == right


def partitions_held_back(url: str) -> AbstractContextManager[Callable[[], int]]:
    """Keep every load_partition from writing its rejects; yields a count of those that wait for it."""
    return _held_back(url, "factload.rejects")


@contextmanager
def staging_held_back(url: str, period: str) -> Iterator[Callable[[], int]]:
    """Keep every load_partition of one load from staging its rows; yields a count of those that wait for it."""
    of_load = select(attempts.c.content).where(attempts.c.load_id == f"sales@{period}")
    with create_engine(url, poolclass=NullPool).connect() as connection:
        content = connection.scalars(of_load).one()
    table = Load.staging_table_of(f"sales@{period}", content)
    with _held_back(url, f"factload_staging.{table}") as waiting:
        yield waiting


@contextmanager
def _held_back(url: str, table: str) -> Iterator[Callable[[], int]]:
    queue = text(f"SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted")
    engine = create_engine(url, poolclass=NullPool)
    with (
        engine.begin() as holder,
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher,
    ):
        holder.execute(text(f"LOCK TABLE {table} IN SHARE MODE"))
        yield lambda: int(watcher.scalar(queue) or 0)


def process_of(site: Site, instance: TaskInstance) -> psutil.Process:
    """The process that runs a task: Airflow puts the instance's id into its title."""
    pid, _ = site.processes["scheduler"]
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended since it was listed; zombies among them
            title = " ".join(process.cmdline())
            if instance.id in title and "LocalExecutor" not in title:
                return process
    pytest.fail(f"no process of {instance.task_id} {instance.label} in the scheduler's family")


def crash(server: Server) -> None:
    """Stop the server at once, with crash recovery at its next start."""
    process = psutil.Process(find(server.data_dir).pid)  # type: ignore[union-attr]
    process.send_signal(signal.SIGQUIT)
    process.wait(30)


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def state_of(plant: Plant, run_id: str, instance: TaskInstance) -> str:
    return next(p.state for p in plant.partitions(run_id) if p.map_index == instance.map_index)


def overlap(one: TaskInstance, other: TaskInstance) -> bool:
    assert one.start and one.end and other.start and other.end
    return one.start < other.end and other.start < one.end


def wait_for(condition: Callable[[], bool], what: str, every: float = 0.25) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {SECONDS:.0f} s for {what}"
        time.sleep(every)
