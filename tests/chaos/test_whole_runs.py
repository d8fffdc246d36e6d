"""`factload run` and its workers, struck from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from signal import SIGINT, SIGKILL, SIGTERM, Signals

import psutil
import pytest
from arena import Arena
from faults import Fault
from sqlalchemy import text
from test_database_down import end_connections
from test_twice import waiting
from victim import Victim, wait_for

from factload.errors import TransientError

HELD = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END';
CREATE TRIGGER hold BEFORE INSERT ON factload.rejects FOR EACH STATEMENT EXECUTE FUNCTION hold();
"""


@contextmanager
def loading(arena: Arena) -> Iterator[tuple[Victim, list[psutil.Process]]]:
    """A run whose two workers are held in the middle of their first transactions, and its workers."""
    arena.execute(HELD)
    with arena.engine.connect() as holder:
        holder.execute(text("SELECT pg_advisory_lock(42)"))
        with Victim(arena.whole_run()) as run:
            wait_for(lambda: waiting(arena) == 2, "both workers in their transactions")
            servers = psutil.Process(run.pid).children()
            workers = [worker for server in servers for worker in server.children()]
            assert len(workers) == 2
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
def test_a_run_is_ended_from_outside(arena: Arena, fault: Fault, number: Signals) -> None:
    with loading(arena) as (run, workers):
        run.send(number)
        if number == SIGINT:  # a terminal's Ctrl-C reaches them all
            for worker in workers:
                with suppress(psutil.NoSuchProcess):  # the run has ended it already
                    worker.send_signal(number)
        end = run.end()
        assert end.killed or isinstance(end.error, TransientError)
    _, left = psutil.wait_procs(workers, timeout=20)
    assert not left, "workers outlive their run"
    assert arena.stands() == "old"
    arena.whole_run()()
    arena.proves("new")
    fault.injected(seen="before", end="its workers end; exact after a retry", error=end.error)


@pytest.mark.fault("a worker of a run is killed", by="SIGKILL, as the kernel does when memory runs out")
def test_a_worker_is_killed(arena: Arena, fault: Fault) -> None:
    with loading(arena) as (run, workers):
        workers[0].kill()
        error = run.end().error
    assert isinstance(error, TransientError)
    assert arena.stands() == "old"
    arena.whole_run()()
    arena.proves("new")
    fault.injected(seen="before", end="exact after a retry", error=error)


@pytest.mark.fault("a run's workers lose their connections", by="pg_terminate_backend as they load")
def test_workers_lose_their_connections(arena: Arena, fault: Fault) -> None:
    with loading(arena) as (run, _):
        end_connections(arena)
        arena.execute("DROP TRIGGER hold ON factload.rejects")
        assert run.end().error is None
    arena.proves("new")
    fault.injected(seen="before", end="exact: it takes the load up again by itself")
