"""How a step ends as Airflow sees it: in one sentence, at once when it is told to, and with the sentence last."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from factload.airflow.failures import one_sentence, said_last
from factload.errors import FeedError, TransientError, Unforeseen
from factload_demo.postgres import Server


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))


def test_what_a_retry_can_not_help_fails_at_once() -> None:
    with pytest.raises(AirflowFailException, match=r"^it is wrong\. Mend it\.$"), one_sentence():
        raise FeedError("code", "it is wrong", remedy="Mend it")


def test_what_a_retry_may_help_is_left_to_retries_without_the_driver_s_words() -> None:
    with pytest.raises(TransientError) as caught, one_sentence():
        try:
            raise ValueError("Key (name)=(Müller)")
        except ValueError as error:
            raise TransientError("code", "away") from error
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_nobody_foresaw_is_one_sentence_too() -> None:
    with pytest.raises(Unforeseen) as caught, one_sentence():
        raise ValueError("Müller")
    assert "Müller" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_airflow_s_own_pass() -> None:
    with pytest.raises(AirflowSkipException), one_sentence():
        raise AirflowSkipException("nothing to do")


@pytest.mark.parametrize(
    "error",
    [AirflowFailException("it is wrong. Mend it."), TransientError("code", "it is wrong", remedy="Mend it")],
)
def test_the_last_line_is_the_sentence(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    said_last({"exception": error})
    assert [(line.levelno, line.getMessage()) for line in caplog.records] == [
        (logging.ERROR, "it is wrong. Mend it.")
    ]


WAITS = """
import signal, sys
from factload.airflow.failures import one_sentence
from factload.postgres.database import engine_for
from sqlalchemy import text
signal.signal(signal.SIGTERM, lambda *_: None)  # Airflow's: it waits until the driver comes back
with one_sentence(), engine_for(sys.argv[1]).begin() as connection:
    connection.execute(text("CREATE TABLE made (a int)"))
    print("waits", flush=True)
    connection.execute(text("SELECT pg_sleep(60)"))
"""


def test_a_task_that_is_told_to_end_commits_nothing(postgres: Server) -> None:
    url = postgres.create_database("told_to_end")
    command = [sys.executable, "-c", WAITS, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM
    assert time.monotonic() - began < 20
    postgres.drop_database("told_to_end")
