"""A function applied by a few threads, its results in the order of the arguments."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")


def parallel_map(do: Callable[[Work], Result], work: Iterable[Work], threads: int) -> Iterator[Result]:
    """``do`` of each piece of work, in order; never more in flight than ``threads`` + 2.

    One thread is the caller's own.
    """
    if threads == 1:
        yield from map(do, work)
        return
    flying: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, "window") as pool:
        try:
            for piece in work:
                flying.append(pool.submit(do, piece))
                if len(flying) > threads + 1:
                    yield flying.popleft().result()
            while flying:
                yield flying.popleft().result()
        finally:
            for future in flying:
                future.cancel()
