"""`factload run` and its workers, interrupted from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from signal import SIGINT, SIGKILL, SIGTERM, Signals

import psutil
import pytest
from sqlalchemy import text

from factload.errors import TransientError
from tests.chaos.faulty_process import FaultyProcess, wait_for
from tests.chaos.harness import Harness
from tests.chaos.reliability import FaultRecord

HELD = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END';
CREATE TRIGGER hold BEFORE INSERT ON factload.rejects FOR EACH STATEMENT EXECUTE FUNCTION hold();
"""


@contextmanager
def loading(harness: Harness) -> Iterator[tuple[FaultyProcess, list[psutil.Process]]]:
    """A run whose two workers are held in the middle of their first transactions, and its workers: these two, and the
    one that publishes what is staged."""
    harness.execute(HELD)
    with harness.engine.connect() as holder:
        holder.execute(text("SELECT pg_advisory_lock(42)"))
        with FaultyProcess(harness.whole_run()) as run:
            wait_for(lambda: harness.waiting() == 2, "both workers in their transactions")
            servers = psutil.Process(run.pid).children()
            workers = [worker for server in servers for worker in server.children()]
            assert len(workers) == 3
            yield run, workers


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(
            number,
            id=number.name,
            marks=pytest.mark.fault(f"a run gets {number.name}", by="as its workers load"),
        )
        for number in (SIGKILL, SIGTERM, SIGINT)
    ],
)
def test_a_run_is_ended_from_outside(harness: Harness, record: FaultRecord, number: Signals) -> None:
    with loading(harness) as (run, workers):
        run.send(number)
        if number == SIGINT:  # a terminal's Ctrl-C reaches them all
            for worker in workers:
                with suppress(psutil.NoSuchProcess):  # the run has ended it already
                    worker.send_signal(number)
        end = run.end()
        assert end.killed or isinstance(end.error, TransientError)
        error = end.error if isinstance(end.error, TransientError) else None
    _, left = psutil.wait_procs(workers, timeout=20)
    assert not left, "workers outlive their run"
    assert harness.stands() == "old"
    harness.whole_run()()
    harness.proves("new")
    record.injected(seen="before", end="its workers end; exact after a retry", error=error)


@pytest.mark.fault("a worker of a run is killed", by="SIGKILL, as the kernel does when memory runs out")
def test_a_worker_is_killed(harness: Harness, record: FaultRecord) -> None:
    with loading(harness) as (run, workers):
        workers[0].kill()
        error = run.end().error
    assert isinstance(error, TransientError)
    assert harness.stands() == "old"
    harness.whole_run()()
    harness.proves("new")
    record.injected(seen="before", end="exact after a retry", error=error)


@pytest.mark.fault("a run's workers lose their connections", by="pg_terminate_backend as they load")
def test_workers_lose_their_connections(harness: Harness, record: FaultRecord) -> None:
    with loading(harness) as (run, _):
        harness.end_connections()
        harness.execute("DROP TRIGGER hold ON factload.rejects")
        assert run.end().error is None
    harness.proves("new")
    record.injected(seen="before", end="exact: it takes the load up again by itself")
