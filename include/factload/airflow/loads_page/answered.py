"""Answers for what can't be done: an error of the engine, and a DAG that loads no feed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException

from factload.airflow.loads_page import answers
from factload.airflow.loads_page.feeds import feed_of
from factload.errors import FactloadError
from factload.feed.model import Feed


@contextmanager
def answered() -> Iterator[None]:
    """Errors of the engine become answers that say what to do: 503 where a retry may help, else 409."""
    try:
        yield
    except FactloadError as error:
        raise HTTPException(503 if error.retry else 409, answers.problem(error)) from error


def the_feed(dag_id: str) -> Feed:
    """The feed that the DAG loads; 404 where there is none."""
    with answered():
        if (feed := feed_of(dag_id)) is not None:
            return feed
    raise HTTPException(
        404, {"code": "no_feed", "message": f"{dag_id} loads no feed: there is no feed file for it."}
    )
