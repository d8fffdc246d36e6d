"""The engine's errors as Airflow understands them: what a retry can't help fails the task at once.

An Airflow log ends with the frames of a traceback, which tell a person nothing and may hold what logs may not: so
errors come without the ones that they came from, and their sentence is said once more at the very end (``said_last``).
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from factload.airflow.names import ERROR
from factload.errors import FactloadError
from factload.last_net import foreseen

_log = logging.getLogger(__name__)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Errors that a retry can't help fail the task with their one sentence; the others are left to retries."""
    try:
        with _ended_by_sigterm():
            yield
    except Exception as error:
        ended = named(error)
        if ended.retry:
            raise ended from None
        raise AirflowFailException(str(ended)) from None


@contextmanager
def errors_noted(context: Any) -> Iterator[None]:
    """Note for the Loads page the sentence of an error that ends the task, or this try of it."""
    try:
        yield
    except (FactloadError, AirflowFailException) as error:
        context["ti"].xcom_push(ERROR, str(error))
        raise


def named(error: Exception) -> FactloadError:
    """The engine's error for any; Airflow's own, a skip or a deadline, is raised as it is."""
    if type(error).__module__.partition(".")[0] == "airflow":
        raise error
    return foreseen(error)


def said_last(context: Mapping[str, Any]) -> None:
    """Log the sentence that a task, or this try of it, ended with. A callback: nothing is logged after it."""
    error = context.get("exception")
    if isinstance(error, (FactloadError, AirflowFailException)):
        _log.error("%s", error)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the process here, and the server rolls back. Airflow's handler runs once the driver has come back
    from the server: a publish that a person had marked failed would be committed first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
