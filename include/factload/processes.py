"""Steps in parallel processes on one machine."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, Self

from factload.errors import TransientError


class Running:
    """Calls on their way; the first error ends the waiting and is raised as it was."""

    def __init__(self, futures: Sequence[Future[Any]]) -> None:
        self._futures = futures

    def results(self) -> list[Any]:
        """The results in the order of the calls."""
        for _ in self.as_they_come():
            pass
        return [future.result() for future in self._futures]

    def as_they_come(self) -> Iterator[Any]:
        """The results as the calls end."""
        for future in as_completed(self._futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                raise TransientError(
                    "worker_died",
                    "a worker process was killed",
                    remedy="Most often memory ran out: lower the feed's `parallelism`. Then run the load again",
                ) from None


class Workers:
    """At most ``count`` worker processes, forked from a clean one that has the engine imported already."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["factload.steps"])
        self._pool = ProcessPoolExecutor(count, mp_context=context)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def start(
        self, calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]], **same_for_all: Any
    ) -> Running:
        """Begin all ``calls`` (function, arguments), each with the keyword arguments ``same_for_all``."""
        return Running([self._pool.submit(call, *args, **same_for_all) for call, args in calls])
