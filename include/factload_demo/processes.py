"""Child processes that never outlive their purpose: ended with all their descendants, within a bound."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_children: list[psutil.Popen] = []


def spawn(command: Sequence[str | Path], *, log: Path, attached: int | None, **options: Any) -> psutil.Popen:
    """Start a program as the leader of a session of its own, its output in a log file.

    A Ctrl-C on the terminal doesn't reach it: ending it is ours. `attached` is the signal that it gets when this
    process dies; with None it lives on. Further options are those of `subprocess.Popen`.
    """
    with log.open("ab") as output:
        child = psutil.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=None if attached is None else _die_with_parent(attached),
            **options,
        )
    _children.append(child)
    return child


def reap() -> None:
    """Take note of the children that have ended, however they were waited for."""
    _children[:] = [child for child in _children if child.poll() is None]


def _die_with_parent(signal_number: int) -> Callable[[], None] | None:
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


def family(leaders: Iterable[int]) -> list[psutil.Process]:
    """All that still runs of these session leaders: themselves, their sessions and their descendants.

    The session finds what has lost its parent; the descent finds what has left the session.
    """
    sessions = set(leaders)
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            if process.pid in sessions or os.getsid(process.pid) in sessions:
                for member in (process, *process.children(recursive=True)):
                    found[member.pid] = member
    return [member for member in found.values() if member.pid != os.getpid()]


def end_family(leaders: Iterable[int], *, grace_seconds: float = 20.0) -> None:
    """End processes that were started as session leaders, and all that they started.

    First the leaders are asked, after the grace all that is left, and then nobody is asked any more. Each
    time the family is counted anew, as it may have grown.
    """
    sessions = list(leaders)
    if not sessions:
        return
    known = {member.pid: member for member in family(sessions)}
    for member in known.values():
        if member.pid in sessions:
            _signal(member, signal.SIGTERM)
    for number, wait in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 3.0), (signal.SIGKILL, 5.0)):
        _, left = psutil.wait_procs(known.values(), timeout=wait)
        known = {member.pid: member for member in (*left, *family(sessions))}
        if not known:
            break
        for member in known.values():
            _signal(member, number)
    reap()


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


@contextlib.contextmanager
def one_interruption() -> Iterator[None]:
    """Within this block the first SIGINT, SIGTERM or SIGHUP unwinds the program: every `finally` runs.

    Those that follow are ignored: an impatient second Ctrl-C would cut short the very clean-up it asks for.
    """
    caught: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        if len(caught) == 1:
            raise KeyboardInterrupt(signal.Signals(number).name)

    before = {n: signal.signal(n, interrupt) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
