"""A run that is told to stop, and one whose connection is lost: nothing stays open, nothing is half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.integration.place import Place

FACTLOAD = Path(sys.executable).with_name("factload")
RUN = ("run", "sales", "--period", "2026-11-05")
SESSIONS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'factload' AND datname = current_database()"
)
WAITING = f"{SESSIONS} AND wait_event_type = 'Lock'"
PUBLISHED = [(1, "1.0000", "sales@2026-11-05"), (2, "2.0000", "sales@2026-11-05")]

pytestmark = pytest.mark.timeout(180)


@contextmanager
def publishing(place: Place) -> Iterator[subprocess.Popen[str]]:
    """A run whose publish waits for somebody who holds the fact table; at the end the table is free."""
    with place.engine.connect() as holder:
        holder.execute(text("LOCK TABLE fact_sales IN ACCESS EXCLUSIVE MODE"))
        with subprocess.Popen(
            [FACTLOAD, *RUN],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
            preexec_fn=as_in_a_terminal,  # noqa: PLW1509 - no thread of this process holds a lock it needs
        ) as process:
            try:
                assert soon(lambda: bool(place.rows(WAITING))), "publish didn't begin"
                yield process
                holder.rollback()
                process.wait(60)
            finally:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_run_that_is_told_to_stop_leaves_nothing_open(place: Place, number: signal.Signals) -> None:
    place.workbook([("A1", 1), ("B2", 2)])
    with publishing(place) as process:
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
        assert soon(lambda: not place.rows(SESSIONS)), "a session is still open"
    assert process.returncode == 4
    assert said == "factload: sales@2026-11-05 was interrupted. Run the load again.\n"
    assert place.facts() == []
    assert place.rows("SELECT state, error_code FROM factload.attempts") == [("failed", "interrupted")]

    again = subprocess.run([FACTLOAD, *RUN], capture_output=True, text=True, check=False, timeout=60)
    assert again.returncode == 0, again.stderr
    assert place.facts() == PUBLISHED


def test_a_lost_connection_is_taken_up_again(place: Place) -> None:
    place.workbook([("A1", 1), ("B2", 2)])
    with publishing(place) as process:
        [(pid,)] = place.rows(WAITING)
        place.execute(f"SELECT pg_terminate_backend({pid})")
    assert process.returncode == 0
    assert place.facts() == PUBLISHED
    assert place.rows("SELECT epoch, state FROM factload.attempts ORDER BY 1") == [
        (1, "reconciled"),
        (2, "published"),
    ]
    staged_once = "SELECT count(*) FROM factload.partitions WHERE loaded_epoch = 1"
    assert place.rows(staged_once) == [(1,)]


def as_in_a_terminal() -> None:
    """What a shell starts in the background is born deaf to Ctrl+C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def soon(true: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False
