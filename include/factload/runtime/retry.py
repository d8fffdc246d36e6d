"""What is tried again by itself: a step that other transactions were in the way of, a call that lost the database."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from factload.errors import Conflict, ConnectionLost, NotConnected
from factload.progress import Progress

# Seconds between attempts after the connection to the database was lost: about a minute, as a restart takes.
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_BACKOFF = (0.1, 0.3, 1.0, 3.0)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def again_after_conflict(step: Callable[_P, _R]) -> Callable[_P, _R]:
    """``step``, which may run any number of times, tried again with growing pauses when it raises ``Conflict``.

    Two that have stopped each other don't come back in step: the pauses are random by half.
    """

    @functools.wraps(step)
    def tried(*args: _P.args, **named: _P.kwargs) -> _R:
        for pause in _BACKOFF:
            try:
                return step(*args, **named)
            except Conflict:
                time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        return step(*args, **named)

    return tried


def through_losses(call: Callable[[], _R], progress: Progress, pauses: Iterator[float] | None = None) -> _R:
    """The result of ``call``, which is made again for about a minute when the database goes away under it.

    A database that has never answered is an error at once: most often its address is wrong.
    """
    answered = pauses is not None
    pauses = iter(PAUSES) if pauses is None else pauses
    while True:
        try:
            return call()
        except ConnectionLost as lost:
            answered = answered or not isinstance(lost, NotConnected)
            pause = next(pauses, None)
            if pause is None or not answered:
                raise
            progress.step("waiting for the database")
            time.sleep(pause)
