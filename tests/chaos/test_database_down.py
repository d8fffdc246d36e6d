"""PostgreSQL goes away.

It is stopped as a crash would stop it, with crash recovery at its next start (which empties unlogged tables), or ends
one connection.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from signal import SIGSTOP

import psutil
import pytest

from factload.errors import ReconciliationError, TransientError
from factload_demo import postgres as servers
from tests.chaos.faulty_process import Fault, FaultyProcess
from tests.chaos.harness import Attempt, Harness, Workbook, place, publish_old, refused
from tests.chaos.reliability import FaultRecord
from tests.chaos.strikes import strike_under

LOADING, PUBLISHING = "INSERT INTO factload_staging", "INSERT INTO fact_sales"


class Crashing:
    """A server of these tests alone."""

    def __init__(self, server: servers.Server) -> None:
        self.server = server

    def crash(self) -> None:
        """Stop it at once, as a crash would."""
        process = psutil.Process(self.server.pid)
        process.send_signal(signal.SIGQUIT)
        process.wait(30)

    def restart(self) -> None:
        self.server = servers.start(self.server.data_dir, attached=True)

    def crash_and_restart(self) -> None:
        self.crash()
        self.restart()


@pytest.fixture(scope="module")
def crashing() -> Iterator[Crashing]:
    with servers.throwaway() as server:
        yield Crashing(server)


@pytest.fixture
def shaky(
    crashing: Crashing, tmp_path: Path, workbooks: dict[str, Workbook], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Harness]:
    """The harness on the server that crashes."""
    url = crashing.server.create_database("chaos")
    harness = place(tmp_path / "a project", url, workbooks, monkeypatch)
    publish_old(harness)
    harness.put("new")
    yield harness
    crashing.server.drop_database("chaos")


@pytest.mark.parametrize(
    ("step", "point"),
    [
        pytest.param(
            step,
            point,
            id=f"{step} {what}",
            marks=pytest.mark.fault(f"PostgreSQL crashes {what}", by="SIGQUIT to the server, then a start"),
        )
        for step, point, what in (
            ("open_load", "INSERT INTO factload.attempts", "as a load is opened"),
            ("extract_dimension_map", "COPY", "as the dimension is read"),
            ("split_workbook", "DELETE", "as partitions are noted"),
            ("load_partition 2", LOADING, "as a partition is loaded"),
            ("load_partition 2", "COMMIT", "as a partition's COMMIT is sent"),
            ("reconcile", "COMMIT", "as the proof is noted"),
            ("publish", PUBLISHING, "as rows are published"),
            ("publish", "COMMIT", "as publish's COMMIT is sent"),
            ("publish", "INSERT INTO factload.steps", "right after publish's COMMIT"),
        )
    ],
)
def test_the_server_crashes_under_a_step(
    shaky: Harness, crashing: Crashing, record: FaultRecord, step: str, point: str
) -> None:
    strike_under(shaky, record, step, point, crashing.crash_and_restart)


@pytest.mark.fault(
    "PostgreSQL crashes between the steps, and the staged rows are gone",
    by="SIGQUIT to the server, then a start",
)
@pytest.mark.parametrize("step", ["reconcile", "publish"])
def test_staged_rows_that_a_crash_took_are_missed(
    shaky: Harness, crashing: Crashing, record: FaultRecord, step: str
) -> None:
    attempt = Attempt(shaky).until(step)
    crashing.crash_and_restart()
    if shaky.rows(f"SELECT count(*) FROM {attempt.staging}") == [(0,)]:
        error = refused(attempt.call(step))
        assert isinstance(error, ReconciliationError)
    assert shaky.stands() == "old"
    Attempt(shaky).go_on()
    shaky.proves("new")
    record.injected(seen="before", end="exact after a retry")


@pytest.mark.fault("PostgreSQL is not there", by="SIGQUIT to the server")
def test_a_server_that_is_not_there_is_an_error_within_a_bound(
    shaky: Harness, crashing: Crashing, record: FaultRecord
) -> None:
    crashing.crash()
    try:
        error = refused(Attempt(shaky).call("open_load"))
    finally:
        crashing.restart()
    assert error.retry
    assert shaky.stands() == "old"
    Attempt(shaky).go_on()
    shaky.proves("new")
    record.injected(seen="before", end="exact after a retry", error=error)


@pytest.mark.parametrize(
    ("step", "point"),
    [
        pytest.param(
            step,
            point,
            id=step,
            marks=pytest.mark.fault(
                f"the connection of `{step.split()[0]}` is ended", by="pg_terminate_backend"
            ),
        )
        for step, point in (
            ("open_load", "INSERT INTO factload.attempts"),
            ("extract_dimension_map", "COPY"),
            ("split_workbook", "DELETE"),
            ("load_partition 2", LOADING),
            ("reconcile", "COMMIT"),
            ("publish", PUBLISHING),
        )
    ],
)
def test_one_connection_is_ended(harness: Harness, record: FaultRecord, step: str, point: str) -> None:
    """The step alone is tried again, by the engine itself or by whoever called it."""
    attempt = Attempt(harness).until(step)
    with FaultyProcess(attempt.call(step), Fault(SIGSTOP, before=point)) as process:
        assert process.reached()
        harness.end_connections()
        process.wake()
        end = process.end()
    assert harness.stands() == "old"
    assert end.error is None or isinstance(end.error, TransientError)
    attempt.go_on(step)
    harness.proves("new")
    record.injected(seen="before", end="exact after a retry of this step", error=end.error)
