"""Child processes that never outlive their purpose: ended with all their descendants, within a bound."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from types import FrameType

import psutil

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def die_with_parent(signal_number: int = signal.SIGTERM) -> Callable[[], None] | None:
    """A `preexec_fn` that has the kernel signal the child when this process dies, even by SIGKILL.

    Linux only; elsewhere None, and an abrupt death of this process leaves the child running.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded here: a forked child must not import or allocate much
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return arm


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """The processes with these ids that still run, and all their descendants."""
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for member in (process, *process.children(recursive=True)):
                found[member.pid] = member
    return list(found.values())


def end_family(pids: Iterable[int], *, grace_seconds: float = 20.0) -> None:
    """End these processes and their descendants: SIGTERM, and SIGKILL to what is left after the grace.

    The descendants are listed before the first signal: once a parent has ended they can't be found any more.
    """
    roots = list(pids)
    members = family(roots)
    for member in members:
        if member.pid in roots:
            _signal(member, signal.SIGTERM)
    _, left = psutil.wait_procs(members, timeout=grace_seconds)
    for member in left:
        _signal(member, signal.SIGTERM)
    _, left = psutil.wait_procs(left, timeout=3.0)
    for member in left:
        _signal(member, signal.SIGKILL)
    psutil.wait_procs(left, timeout=5.0)


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


@contextlib.contextmanager
def signals_end_the_program() -> Iterator[None]:
    """Within this block SIGTERM and SIGHUP unwind the program as Ctrl-C does: every `finally` runs."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
