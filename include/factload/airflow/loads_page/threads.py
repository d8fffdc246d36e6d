"""Questions to databases, in a few threads of their own.

Airflow's web server answers most of its own requests in the threads that FastAPI keeps. A warehouse that is slow, or
gone, would take one after the other of them; here it can take these few and no more. Downloads and
comparisons take longer than questions and have threads of their own: whoever asks for many of them keeps nobody from
the page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, Semaphore, WouldBlock, fail_after, to_thread
from fastapi import HTTPException

P = ParamSpec("P")
R = TypeVar("R")


class Threads:
    """A decorator: the function as a route that waits for one of these threads, which then runs it.

    Answers 503 with the sentence ``busy`` when none is free for ``longest_wait`` seconds.
    """

    def __init__(self, at_once: int, longest_wait: float, busy: str) -> None:
        self.at_once, self.longest_wait, self.busy = at_once, longest_wait, busy
        self._room = Semaphore(at_once)

    def __call__(self, question: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
        """The route."""

        @wraps(question)
        async def asked(*args: P.args, **kwargs: P.kwargs) -> R:
            async with self.room():
                # A limiter of its own: not the one that Airflow's requests share.
                return await to_thread.run_sync(
                    partial(question, *args, **kwargs), limiter=CapacityLimiter(1)
                )

        return asked

    @asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """The place of one thread, for who does its own work in it; 503 as above."""
        await self._find_room()
        try:
            yield
        finally:
            self._room.release()

    async def _find_room(self) -> None:
        try:
            self._room.acquire_nowait()
        except WouldBlock:
            try:
                with fail_after(self.longest_wait):
                    await self._room.acquire()
            except TimeoutError:
                raise HTTPException(503, {"code": "busy", "message": self.busy}) from None


# Each statement has its own limit.
off_the_loop = Threads(8, 15, "Too many questions wait for the warehouse. Try again in a minute.")
a_download = Threads(2, 0, "Other workbooks are being written. Try again in a minute.")
comparisons = Threads(2, 15, "Other loads are being compared. Try again in a minute.")
uploads = Threads(4, 0, "Other workbooks are being uploaded. Try again in a minute.")
