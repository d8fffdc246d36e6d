"""A process that a fault reaches at one exact point of its work.

A point is where others can see a difference: right before a statement or a COMMIT (told by a driver's connection and
cursor of our own), before a file or folder is made, renamed or removed (told by Python's audit hook), and at the end.
The product knows nothing of it: the points are those of a real process, which the kernel kills or freezes there.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Self

import psycopg2.extensions
from sqlalchemy import Engine, event

END = "end"
_FILE_EVENTS = {"os.mkdir": "mkdir", "os.rename": "rename", "os.remove": "remove", "os.rmdir": "rmdir"}
_WRITING = os.O_WRONLY | os.O_RDWR
_GREETINGS = (  # ours and SQLAlchemy's, to a server that is new to the process
    "select version()",
    "select pg_catalog.version()",
    "select current_schema()",
    "show ",
)
_SECONDS = 60.0


@dataclass(frozen=True)
class Fault:
    """Send ``signal`` before the point number ``nth`` (from 0) of those that begin with ``before``."""

    signal: signal.Signals
    before: str = ""
    nth: int = 0


@dataclass(frozen=True)
class End:
    """How a process ended: by a signal, or with a result, or with an error."""

    killed: bool = False
    result: Any = None
    error: BaseException | None = None


class FaultyProcess:
    """A process with the engine's modules already imported, that makes one call and is killed or frozen on the way."""

    def __init__(self, call: Callable[[], Any], fault: Fault | None = None) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["factload.steps", "s3fs"])
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_live, args=(theirs, dict(os.environ), call, fault))
        self._process.start()
        theirs.close()
        self._said: tuple[str, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def reached(self) -> str | None:
        """The point at which the fault happened: frozen or dead by now; None when it ended without."""
        self._hear()
        assert self._said is not None, f"process {self.pid} died without a word"
        if self._said[0] != "reached":
            return None
        at, number = self._said[1]
        self._said = None
        if number == signal.SIGSTOP:
            wait_for(lambda: _state(self.pid) == "T", f"process {self.pid} to stop")
        return str(at)

    def send(self, number: signal.Signals) -> None:
        """A signal from outside."""
        os.kill(self.pid, number)

    def wake(self) -> None:
        """Let a frozen process go on."""
        self.send(signal.SIGCONT)

    def end(self) -> End:
        """Wait for its end; points that it reached are passed over."""
        while True:
            self._hear()
            said, self._said = self._said, None
            if said is None:
                break
            if said[0] != "reached":
                self._process.join(_SECONDS)
                return End(result=said[1]) if said[0] == "returned" else End(error=said[1])
        self._process.join(_SECONDS)
        return End(killed=(self._process.exitcode or 0) < 0)

    def _hear(self) -> None:
        if self._said is None:
            assert self._pipe.poll(_SECONDS), f"process {self.pid} said nothing for {_SECONDS:.0f} s"
            try:
                self._said = self._pipe.recv()
            except EOFError:
                self._said = None


def wait_for(condition: Callable[[], bool], what: str, seconds: float = _SECONDS) -> None:
    """Return when ``condition`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.005)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _live(pipe: Pipe, environment: Mapping[str, str], call: Callable[[], Any], fault: Fault | None) -> None:
    os.environ.clear()
    os.environ.update(environment)
    # As in a terminal: what a shell starts in the background is born deaf to Ctrl+C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from factload.memory import save_memory

    save_memory()
    if fault is not None:
        _arm(pipe, fault)
    try:
        result = call()
        if fault is not None:
            _reached(END)
        pipe.send(("returned", result))
    except BaseException as error:
        pipe.send(("raised", error))


_reached: Callable[[str], None] = lambda point: None  # noqa: E731 - replaced by ``_arm``


def _arm(pipe: Pipe, fault: Fault) -> None:
    left = fault.nth

    def reached(point: str) -> None:
        nonlocal left
        if point.startswith(fault.before):
            left -= 1
            if left == -1:
                pipe.send(("reached", (point, fault.signal)))
                os.kill(os.getpid(), fault.signal)

    global _reached  # noqa: PLW0603 - this process has one fault, given at its start
    _reached = reached
    event.listen(Engine, "do_connect", _connect_by_ours)
    sys.addaudithook(_heard)


def _heard(name: str, arguments: tuple[Any, ...]) -> None:
    if name == "open":
        path, _, flags = arguments
        if isinstance(path, str) and flags & _WRITING and "__pycache__" not in path and path[:5] != "/proc":
            _reached(f"open {Path(path).name}")
    elif name in _FILE_EVENTS and "__pycache__" not in str(arguments[0]):
        _reached(f"{_FILE_EVENTS[name]} {Path(os.fsdecode(arguments[0])).name}")


def _connect_by_ours(dialect: object, record: object, arguments: object, options: dict[str, Any]) -> None:
    options.update(connection_factory=_Connection, cursor_factory=_Cursor)


class _Connection(psycopg2.extensions.connection):
    def commit(self) -> None:
        _reached("COMMIT")
        super().commit()


class _Cursor(psycopg2.extensions.cursor):
    def execute(self, query: Any, *values: Any) -> None:
        if not str(query).startswith(_GREETINGS):
            _reached(" ".join((query.decode() if isinstance(query, bytes) else str(query)).split()))
        super().execute(query, *values)

    def executemany(self, query: Any, *values: Any) -> None:
        _reached(str(query))
        super().executemany(query, *values)

    def copy_expert(self, query: Any, *values: Any) -> None:
        _reached(str(query))
        super().copy_expert(query, *values)
