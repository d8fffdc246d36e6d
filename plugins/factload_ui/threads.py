"""Questions to databases, in a few threads of their own.

Airflow's web server answers most of its own requests in the threads that FastAPI keeps. A warehouse that is slow, or
gone, would take one after the other of them; here it can take these few and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, Semaphore, fail_after, to_thread
from fastapi import HTTPException

AT_ONCE = 8
LONGEST_WAIT = 15  # seconds for a thread; each statement has its own limit

P = ParamSpec("P")
R = TypeVar("R")

_room = Semaphore(AT_ONCE)


def off_the_loop(question: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """The function as a route that waits for it. Answers 503 when all threads are taken for too long."""

    @wraps(question)
    async def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with fail_after(LONGEST_WAIT):
                await _room.acquire()
        except TimeoutError:
            raise HTTPException(
                503,
                {
                    "code": "busy",
                    "message": "Too many questions wait for the warehouse. Try again in a minute.",
                },
            ) from None
        try:
            # A limiter of its own: not the one that Airflow's requests share.
            return await to_thread.run_sync(partial(question, *args, **kwargs), limiter=CapacityLimiter(1))
        finally:
            _room.release()

    return asked
