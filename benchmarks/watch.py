"""Run one command and write down what it cost.

    python -m benchmarks.watch RESULT.json COMMAND ARGUMENT ...

A small process of its own: Linux counts into a child's peak what its parent held when it started the child, so
that a big parent would show in every peer's figure.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

SECONDS_AT_MOST = 900
_SECONDS_BETWEEN_SAMPLES = 0.05
_SAMPLES_TO_A_SEARCH = (
    4  # for new descendants and for shares: the one lists all processes, the other all pages
)


class _Sampler(threading.Thread):
    """Looks at a process and its descendants until told to stop; peaks in bytes."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self.tree_peak = 0
        self.process_peak = 0
        self.shared_out_peak = 0
        self.has_shared = False
        self._cpu: dict[int, float] = {}  # process id -> seconds, as last seen

    @property
    def cpu_seconds(self) -> float:
        """Of all processes that were seen, each up to its last sample."""
        return sum(self._cpu.values())

    def run(self) -> None:
        tree, parent = [self._root], os.getppid()
        for number in itertools.count():
            if self._over.wait(_SECONDS_BETWEEN_SAMPLES):
                return
            if os.getppid() != parent:  # the benchmark was killed: nobody waits for this
                _kill(self._root.pid)
            if number % _SAMPLES_TO_A_SEARCH == 0:
                with contextlib.suppress(psutil.Error):
                    tree = [self._root, *self._root.children(recursive=True)]
                if len(tree) > 1:
                    self.has_shared = True
                    self.shared_out_peak = max(self.shared_out_peak, sum(map(_proportional, tree)))
            sizes = [_resident(process) for process in tree]
            if len(tree) == 1:
                self.shared_out_peak = max(self.shared_out_peak, sizes[0])
            self.tree_peak = max(self.tree_peak, sum(sizes))
            self.process_peak = max(self.process_peak, *sizes)
            for process in tree:
                self._cpu[process.pid] = max(_cpu_seconds(process), self._cpu.get(process.pid, 0.0))

    def stop(self) -> None:
        self._over.set()
        self.join()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended since the tree was listed
        return 0


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _proportional(process: psutil.Process) -> int:
    """What the process holds, a page that several map divided among them (Linux; 0 elsewhere)."""
    try:
        return int(getattr(process.memory_full_info(), "pss", 0))
    except psutil.Error:
        return 0


def watch(command: list[str]) -> dict[str, float]:
    """Seconds of wall time, peaks in 10^6 bytes, and the exit status of a command.

    ``process_mb``: the largest single process; the kernel's own record, or a sample of a descendant that nobody
    waited for. ``tree_mb``: the largest sum over the tree at one moment, pages that processes share counted in
    each, and at least ``process_mb``. ``tree_pss_mb``: the same with shared pages counted once, sampled more rarely; of
    a command without children, which shares with nobody, ``process_mb``. ``cpu_seconds``: user and system time of the
    tree, the database's not. ``machine_cpu_seconds``: of the whole machine meanwhile, this process excepted.
    """
    machine = _machine_cpu_seconds()
    started = time.perf_counter()
    process = subprocess.Popen(command, start_new_session=True)
    timer = threading.Timer(SECONDS_AT_MOST, _kill, [process.pid])
    timer.start()
    sampler = _Sampler(process.pid)
    sampler.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        machine = _machine_cpu_seconds() - machine
    except KeyboardInterrupt:
        _kill(process.pid)
        raise
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    sampler.stop()
    recorded = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    largest = max(recorded, sampler.process_peak)
    return {
        "seconds": seconds,
        "process_mb": largest / 1e6,
        "tree_mb": max(largest, sampler.tree_peak) / 1e6,
        "cpu_seconds": max(usage.ru_utime + usage.ru_stime, sampler.cpu_seconds),
        "machine_cpu_seconds": machine,
        "tree_pss_mb": (sampler.shared_out_peak if sampler.has_shared else largest) / 1e6,
        "status": process.returncode,
    }


def _machine_cpu_seconds() -> float:
    """Of the whole machine so far, without this process; what a virtual machine was denied counts as used."""
    times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    unused = times.idle + getattr(times, "iowait", 0.0)
    counted_twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - unused - counted_twice - own.user - own.system)


def _kill(session: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(watch(sys.argv[2:])))
