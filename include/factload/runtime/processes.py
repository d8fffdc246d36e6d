"""Steps in parallel processes on one machine."""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.context
import multiprocessing.forkserver
import multiprocessing.queues
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from factload.errors import TransientError
from factload.runtime.last_words import kept_from_the_terminal, where_they_are
from factload.settings import staging_package

_HEARD_EVERY_SECONDS = 0.2
_said: multiprocessing.queues.Queue[int | None] | None = None


def warm_up() -> None:
    """Begin to start the process that workers are forked from, which takes as long as importing the engine does.

    Called first, that happens beside this process's own imports.
    """
    _context()
    with _started():
        _ensure_server()


def _ensure_server() -> None:
    with kept_from_the_terminal():
        multiprocessing.forkserver.ensure_running()


def _context() -> multiprocessing.context.ForkServerContext:
    # Python is started anew: modules of the current folder, an inbox perhaps, would run instead of its own.
    os.environ["PYTHONSAFEPATH"] = "1"
    context = multiprocessing.get_context("forkserver")
    store = staging_package()
    context.set_forkserver_preload(["factload.steps", *([store] if store else [])])
    return context


def say_rows_done(rows: int) -> None:
    """In a worker: tell the process that started it how many rows are done so far."""
    if _said is not None:
        _said.put(rows)


def _begin(said: multiprocessing.queues.Queue[int | None], environment: dict[str, str]) -> None:
    # Ctrl+C reaches every process of the terminal; the one that started the workers says what becomes of them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The server that workers are forked from keeps the environment of its own start.
    os.environ.clear()
    os.environ.update(environment)
    from factload.memory import save_memory

    save_memory()
    gc.freeze()  # what came with the fork stays: looked through for garbage, its pages would be copied, too
    threading.Thread(target=_end_with_parent, daemon=True).start()
    global _said  # noqa: PLW0603 - a worker process has one way to its parent, given at its start
    _said = said


def _end_with_parent() -> None:
    # A run that is killed can't tell its workers, and they would wait for work for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Running:
    """Calls on their way; the first error ends the waiting and is raised as it was.

    ``check`` raises when the pool itself has broken: then its calls never end.
    """

    def __init__(self, futures: Sequence[Future[Any]], check: Callable[[], None]) -> None:
        self._futures = futures
        self._check = check

    def results(self) -> list[Any]:
        """The results in the order of the calls."""
        for _ in self.as_they_come():
            pass
        return [future.result() for future in self._futures]

    def as_they_come(self) -> Iterator[Any]:
        """The results as the calls end."""
        waiting = set(self._futures)
        while waiting:
            ended, waiting = wait(waiting, _HEARD_EVERY_SECONDS, FIRST_COMPLETED)
            for future in ended:
                try:
                    yield future.result()
                except BrokenProcessPool:
                    raise _worker_died("a worker process was killed") from None
            if not ended:
                self._check()


def _worker_died(seen: str) -> TransientError:
    remedy = "Most often memory ran out: lower the feed's `parallelism`. Then run the load again"
    printed = where_they_are()
    return TransientError("worker_died", seen, remedy=f"{remedy}. {printed}" if printed else remedy)


@contextmanager
def _started() -> Iterator[None]:
    """What can't be started is told in a sentence: files, memory or threads have run short."""
    try:
        yield
    except (OSError, EOFError, RuntimeError, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TransientError(
            "workers_not_started",
            f"worker processes could not be started ({reason})",
            remedy="Memory, processes or open files ran out: lower the feed's `parallelism`, or raise the limit "
            "(`ulimit -a`). Then run the load again",
        ) from error


def _say_nothing(_: threading.ExceptHookArgs) -> None:
    """For threads whose end is noticed otherwise."""


class Workers:
    """At most ``count`` worker processes, and no more than there are processors, forked from a clean one that has
    the engine imported already.

    ``heard`` is called, in a thread of this process, with every number that a worker says.
    """

    def __init__(self, count: int, heard: Callable[[int], None]) -> None:
        context = _context()
        with _started():
            _ensure_server()
            self._said: multiprocessing.queues.Queue[int | None] = context.Queue()
            self._pool = ProcessPoolExecutor(
                min(count, os.cpu_count() or 1),
                mp_context=context,
                initializer=_begin,
                initargs=(self._said, dict(os.environ)),
            )
        self._ended = threading.Event()
        self._listener = threading.Thread(target=self._listen, args=(heard,), daemon=True)

    def __enter__(self) -> Self:
        with _started():
            self._listener.start()
        # A thread of the pool that dies for lack of memory prints a traceback: ``_require_alive`` finds it out.
        self._say_of_threads, threading.excepthook = threading.excepthook, _say_nothing
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            # What they would still do is of no use: the server rolls back what they had begun.
            for worker in multiprocessing.active_children():
                worker.terminate()
        self._pool.shutdown(wait=self._is_alive(), cancel_futures=True)
        self._ended.set()
        with suppress(RuntimeError):  # where no thread can be had to say it, the listener looks by itself
            self._said.put(None)
        self._listener.join()
        threading.excepthook = self._say_of_threads

    def start(
        self, calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]], **same_for_all: Any
    ) -> Running:
        """Begin all ``calls`` (function, arguments), each with the keyword arguments ``same_for_all``.

        Only a worker waits for a server: this process can always be interrupted.
        """
        with _started():
            futures = [self._pool.submit(call, *args, **same_for_all) for call, args in calls]
        return Running(futures, self._require_alive)

    def _is_alive(self) -> bool:
        # The pool hands out work and takes results in a thread that it doesn't show. When that can't go on, because
        # there is no memory for another thread, whoever waits for results is told nothing.
        thread = getattr(self._pool, "_executor_manager_thread", None)
        return thread is None or thread.is_alive()

    def _require_alive(self) -> None:
        if not self._is_alive():
            raise _worker_died("no worker process could be started, or be given work")

    def _listen(self, heard: Callable[[int], None]) -> None:
        while not self._ended.is_set():
            try:
                rows = self._said.get(timeout=_HEARD_EVERY_SECONDS)
            except queue.Empty:
                continue
            if rows is not None:
                heard(rows)
