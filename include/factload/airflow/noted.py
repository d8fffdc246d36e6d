"""What a task notes for the Loads page, beside its log: why it ended, what it waits for, what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from factload.errors import FactloadError

ERROR, WAITS, SKIPPED, REPORT, DECISION = "error", "waits", "skipped", "report", "decision"


@contextmanager
def errors_noted(context: Any) -> Iterator[None]:
    """Note the sentence of an error that ends the task, or this try of it."""
    try:
        yield
    except (FactloadError, AirflowFailException) as error:
        context["ti"].xcom_push(ERROR, str(error))
        raise
