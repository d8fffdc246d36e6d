"""Connections with bounded waits: a silent server is given up, and Ctrl-C interrupts any wait.

The driver waits for an answer inside of libpq, without a bound, and a Python signal handler runs only once it has
come back. A line that is cut without a word would hold a process for the kernel's two hours; one whose far end is a
proxy that acknowledges everything and passes nothing on, for ever. So:

* the kernel probes every line, and gives it up when nothing is acknowledged (``keepalives``, ``tcp_user_timeout``);
* a thread watches the connections of this process. One that was asked and has not moved a byte is looked up from a
  second connection: a server that works on the statement, or waits for a lock, may take as long as it likes; one that
  has ended it, waits for us, or can't be reached twice in a row, has lost the line, and the socket is shut;
* connections are made in a thread, so that the wait for them can be interrupted;
* when a person says stop (``interrupts``) all sockets are shut: whoever waits comes back at once.

A wait callback of the driver would do without threads, but with one it refuses COPY.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillConnecting
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE
from sqlalchemy import Engine, event

from factload.interrupts import forget_stop, when_stopped
from factload.settings import settings

CONNECT_TIMEOUT_SECONDS = 10
_TICK_SECONDS = 1.0
_DOUBTS = 2  # a server that works on nothing, or can't be reached, this often in a row has lost the line
_MOVED = struct.Struct("=120x2Q")  # linux/tcp.h, tcp_info: bytes acknowledged, bytes received
_STATE = """
    SELECT state, wait_event_type = 'Client', query_start::text, state_change::text
    FROM pg_catalog.pg_stat_activity WHERE pid = %s AND application_name = current_setting('application_name')
"""
_END = """
    SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
    WHERE pid = %s AND application_name = current_setting('application_name')
    AND query_start::text = %s AND state_change::text = %s
"""


@dataclass(slots=True, eq=False)
class _Line:
    """One open connection, and for how many seconds it may be silent. ``options``: with which another one leads to its
    server; ``backend``: the server's process, once a transaction has asked for it."""

    connection: Any
    options: dict[str, Any]
    patience: float
    backend: int | None = None
    moved: Any = None
    silent_since: float = field(default_factory=time.monotonic)
    doubts: int = 0
    state: Any = None


_lines: dict[int, _Line] = {}
_lines_lock = threading.Lock()
_watching_in = 0  # the process that has the thread: a forked one has none
_deadline: float | None = None


def watch(engine: Engine) -> None:
    """Make, watch and give up the connections of ``engine`` as above."""
    event.listen(engine, "do_connect", _connect)
    event.listen(engine.pool, "close", lambda connection, _: _forget(connection))


def note_backend(connection: Any, pid: int) -> None:
    """``pid``: the server's process behind the driver's ``connection`` until its transaction ends."""
    if line := _lines.get(id(connection)):
        line.backend = pid


@contextmanager
def at_most(connecting: float, altogether: float) -> Iterator[None]:
    """In the block a connection comes about within so many seconds, or not at all, and all ends within ``altogether``:
    a server that can be reached may be slow. For the main thread of a command."""
    global _deadline  # noqa: PLW0603 - whoever connects has to see it
    forget_stop()
    _deadline = time.monotonic() + connecting
    ends = threading.Timer(altogether, _shut_all)
    ends.daemon = True
    ends.start()
    try:
        yield
    finally:
        ends.cancel()
        _deadline = None


def _shut_all() -> None:
    with _lines_lock:
        for line in _lines.values():
            _shut(line.connection)


when_stopped(_shut_all)


def _shut(connection: Any) -> None:
    """End the line under whoever waits for it: the driver comes back with an error."""
    with suppress(psycopg2.Error, OSError), _socket_of(connection) as line:
        line.shutdown(socket.SHUT_RDWR)


def _socket_of(connection: Any) -> socket.socket:
    return socket.socket(fileno=os.dup(connection.fileno()))


def _connect(dialect: Any, _: object, arguments: Any, options: dict[str, Any]) -> Any:
    seconds = settings().silence_timeout
    options = options | {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": max(seconds // 2, 1),
        "keepalives_interval": max(seconds // 6, 1),
        "keepalives_count": 3,
        "tcp_user_timeout": seconds * 1000,
    }
    hosts = str(options.get("host", "")).count(",") + 1
    bound = float(CONNECT_TIMEOUT_SECONDS * (hosts + 1))  # once more for the name service, which has no bound
    if _deadline is not None:
        bound = min(bound, max(_deadline - time.monotonic(), 0.0))
    connection = _in_a_thread(dialect, arguments, options, bound)
    with _lines_lock:
        _lines[id(connection)] = _Line(connection, options | _server_of(connection, hosts), seconds)
    _watch_this_process()
    return connection


def _server_of(connection: Any, hosts: int) -> dict[str, Any]:
    """The options that lead to the server of ``connection`` and to no other: after a failover another one of the URL's
    list would be asked about a process that isn't its own."""
    if hosts == 1:
        return {}
    there = connection.info
    return {"host": there.host, "port": there.port, "target_session_attrs": "any"}


def _in_a_thread(dialect: Any, arguments: Any, options: dict[str, Any], bound: float) -> Any:
    made: Future[Any] = Future()

    def make() -> None:
        try:
            made.set_result(dialect.connect(*arguments, **options))
        except BaseException as error:
            made.set_exception(error)

    threading.Thread(target=make, daemon=True).start()
    try:
        return made.result(bound)
    except StillConnecting:
        made.add_done_callback(_close_late)
        raise psycopg2.OperationalError(f"no connection within {bound:.0f} seconds") from None
    except BaseException:  # the connection's own error, or a signal's while it is on its way
        made.add_done_callback(_close_late)
        raise


def _close_late(made: Future[Any]) -> None:
    if made.exception() is None:
        made.result().close()


def _forget(connection: Any) -> None:
    with _lines_lock:
        _lines.pop(id(connection), None)


def _watch_this_process() -> None:
    global _watching_in  # noqa: PLW0603 - a process has one thread that watches
    if _watching_in != os.getpid():
        _watching_in = os.getpid()
        threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while True:
        time.sleep(_TICK_SECONDS)
        for line in list(_lines.values()):
            if _silent_for(line) >= line.patience * (3 / 4 if line.doubts else 1 / 2):
                _look_up(line, line.patience / 4)


def _silent_for(line: _Line) -> float:
    """Seconds since the server was asked, and no byte has come or gone."""
    now = time.monotonic()
    try:
        asked = line.connection.info.transaction_status == TRANSACTION_STATUS_ACTIVE
        moved = _bytes_moved(line.connection)
    except (psycopg2.Error, OSError):  # it is being closed
        return 0.0
    if not asked or moved != line.moved:
        line.moved, line.silent_since, line.doubts = moved, now, 0
    return now - line.silent_since


def _bytes_moved(connection: Any) -> Any:
    """What went over a TCP connection so far; of a unix socket nobody counts it."""
    with _socket_of(connection) as line:
        if line.family == socket.AF_UNIX or not hasattr(socket, "TCP_INFO"):
            return None
        return _MOVED.unpack(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _MOVED.size))


def _look_up(line: _Line, bound: float) -> None:
    """Ask the server, over another connection, what it thinks it does for this one; shut the line when it is lost."""
    asked = _Asked(line)
    asked.start()
    asked.join(bound)
    asked.give_up()
    if asked.works:
        line.silent_since, line.doubts = time.monotonic(), 0
        return
    line.doubts = line.doubts + 1 if asked.state == line.state else 1
    line.state = asked.state
    if line.doubts >= _DOUBTS:
        with _lines_lock:
            if id(line.connection) in _lines:
                _shut(line.connection)


class _Asked(threading.Thread):
    """What a second connection says of a backend. ``works``: there is reason to go on waiting for it."""

    def __init__(self, line: _Line) -> None:
        super().__init__(daemon=True)
        self.works = False
        self.state: Any = None
        self._line = line
        self._connection: Any = None

    def run(self) -> None:
        try:
            self._connection = psycopg2.connect(**self._line.options)
        except psycopg2.OperationalError as error:
            self.works = ":  " in str(error)  # "FATAL:  too many connections": it answers
            return
        with suppress(psycopg2.Error), self._connection.cursor() as cursor:
            cursor.execute(_STATE, (self._line.backend,))
            self._read(cursor.fetchone())
            if not self.works and self.state and self.state == self._line.state:
                # Left alone it would keep its locks until it had idled for long: the next attempt waits for them.
                cursor.execute(_END, (self._line.backend, *self.state))
        self._connection.close()

    def _read(self, found: Any) -> None:
        if found is None:
            return
        state, waits_for_us, *self.state = found
        # A user who may not see more is told no state; neither is one where activity isn't tracked.
        self.works = state in (None, "disabled") or (state == "active" and not waits_for_us)

    def give_up(self) -> None:
        """End the question if it has no answer yet."""
        if self.is_alive() and self._connection is not None:
            _shut(self._connection)
