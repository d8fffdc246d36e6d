"""The engine's errors as Airflow understands them: what a retry can't help fails the task at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from factload.errors import FactloadError


@contextmanager
def one_sentence() -> Iterator[None]:
    """Errors that a retry can't help fail the task with their one sentence; the others are left to retries."""
    try:
        yield
    except FactloadError as error:
        if error.retry:
            raise
        raise AirflowFailException(str(error)) from None
