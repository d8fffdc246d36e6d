"""The line to PostgreSQL falls silent.

Nothing comes and nothing goes, and nobody hangs up: a cable is pulled, or a proxy goes on acknowledging.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from factload.errors import ConnectionLost
from factload.postgres.database import engine_for
from factload_demo import postgres as servers
from tests.chaos.faulty_process import wait_for
from tests.chaos.harness import Attempt, Harness, refused
from tests.chaos.proxy import BrokenLine
from tests.chaos.reliability import FaultRecord
from tests.chaos.replicated import either

FACTLOAD = Path(sys.executable).with_name("factload")
RUN = ("run", "sales", "--period", "2026-11-05")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_SILENCE_TIMEOUT", "4")


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            step,
            marks=pytest.mark.fault(
                f"the line of `{step}` falls silent at its COMMIT", by="a proxy that passes nothing on"
            ),
        )
        for step in ("open_load", "publish")
    ],
)
def test_a_step_gives_a_silent_line_up(
    harness: Harness, record: FaultRecord, tmp_path: Path, step: str
) -> None:
    attempt = Attempt(harness).until(step)
    with BrokenLine(harness.url, tmp_path / "line", "silence", 0) as line:
        attempt.url = line.url
        error = refused(attempt.call(step))
        attempt.url = harness.url
    assert isinstance(error, ConnectionLost)
    assert harness.stands() == "old"
    began = time.monotonic()
    attempt.go_on(step)
    assert time.monotonic() - began < 50, "the backend of the silent line kept its locks"
    harness.proves("new")
    record.injected(seen="before", end="exact after a retry, which waits for nothing", error=error)


@pytest.mark.fault("a run's line falls silent", by="a proxy that passes nothing on")
def test_a_run_goes_on_over_another_line(harness: Harness, record: FaultRecord, tmp_path: Path) -> None:
    with BrokenLine(harness.url, tmp_path / "line", "silence", 3) as line:
        replace(harness, url=line.url).whole_run()()
        assert line.broke
    harness.proves("new")
    record.injected(seen="after", end="exact: it takes the load up again by itself")


def test_a_server_that_works_for_long_is_waited_for(harness: Harness) -> None:
    harness.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(10); RETURN NULL; END'; "
        "CREATE TRIGGER slow AFTER INSERT ON fact_sales FOR EACH STATEMENT EXECUTE FUNCTION slow()"
    )
    Attempt(harness).go_on()
    harness.proves("new")


def test_of_two_servers_the_line_s_own_is_asked_whether_it_works(harness: Harness) -> None:
    """The URL leads to another one by now: it knows nothing of the statement."""
    with servers.throwaway() as other:
        database = str(make_url(harness.url).database)
        other.create_database(database)
        engine = engine_for(either(harness.url, other))
        with engine.connect() as connection:
            own = connection.scalar(text("SELECT current_setting('data_directory')"))
            harness.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
            connection.execute(text("SELECT pg_sleep(6)"))
            assert connection.scalar(text("SELECT current_setting('data_directory')")) == own
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT current_setting('data_directory')")) == str(other.data_dir)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_who_says_stop_does_not_wait_for_a_silent_line(
    harness: Harness, tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTLOAD_SILENCE_TIMEOUT", "600")
    with BrokenLine(harness.url, tmp_path / "line", "silence", 0) as line:
        process = subprocess.Popen(
            [FACTLOAD, *RUN, "--url", line.url],
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - as in a terminal
        )
        wait_for(lambda: line.broke, "the COMMIT of open_load")
        process.send_signal(number)
        said = process.communicate(timeout=20)[1]
    assert (process.returncode, said) == (4, "factload: interrupted. Run the command again.\n")
    assert harness.stands() == "old"
