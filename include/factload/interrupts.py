"""Ctrl-C and SIGTERM take effect at once, even while the main thread waits inside a library.

Python runs a signal's handler once the main thread is back in Python; in libpq it may never be. The number of a signal
is written to a socket right away, though, and a thread that reads it ends what is waited for (``when_stopped``).
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

_STOPPING = frozenset({signal.SIGINT, signal.SIGTERM})
_SAY_AGAIN_SECONDS = 0.05

_asked = threading.Event()
_calls: list[Callable[[], None]] = []


def when_stopped(call: Callable[[], None]) -> None:
    """Have ``call`` end a wait of the main thread; it runs in another thread."""
    _calls.append(call)


def stop_was_asked() -> bool:
    """Whether waits were ended because a person said stop: an error of who waited then means just that."""
    return _asked.is_set()


def forget_stop() -> None:
    """The stop was heard; what is done from here on has to be said stop to anew."""
    _asked.clear()


@contextmanager
def interruptible() -> Iterator[None]:
    """In the block SIGINT and SIGTERM raise KeyboardInterrupt, and end every wait. For the main thread of a command."""
    heard, hears = socket.socketpair()
    hears.setblocking(False)
    wakes = signal.set_wakeup_fd(hears.fileno(), warn_on_full_buffer=False)
    terminates = signal.signal(signal.SIGTERM, _raise)
    hooks = sys.unraisablehook, sys.excepthook
    sys.unraisablehook, sys.excepthook = _unraisable, _printed
    threading.Thread(target=_listen, args=(heard,), daemon=True).start()
    try:
        yield
    finally:
        sys.unraisablehook, sys.excepthook = hooks
        signal.signal(signal.SIGTERM, terminates)
        signal.set_wakeup_fd(wakes)
        hears.close()
        forget_stop()


def _raise(*_: object) -> None:
    raise KeyboardInterrupt


def _listen(heard: socket.socket) -> None:
    with heard:
        while numbers := heard.recv(64):
            if not _STOPPING.isdisjoint(numbers):
                _asked.set()
                for call in _calls:
                    call()


def _unraisable(swallowed: Any) -> None:
    """Python can't raise everywhere, in a callback of an import for one: it prints what it swallows."""
    if swallowed.exc_type is KeyboardInterrupt:
        _say_again()
    else:
        sys.__unraisablehook__(swallowed)


def _printed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Nor can the driver, while it makes an error of its own."""
    if kind is KeyboardInterrupt:
        _say_again()
    else:
        sys.__excepthook__(kind, error, trace)


def _say_again() -> None:
    again = threading.Timer(_SAY_AGAIN_SECONDS, _interrupt_unless_heard)
    again.daemon = True
    again.start()


def _interrupt_unless_heard() -> None:
    if stop_was_asked():
        os.kill(os.getpid(), signal.SIGINT)
