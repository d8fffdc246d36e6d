"""How long a step took, and how much memory its process held at most."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"  # proc(5): resets the peak resident set size to the current one


@dataclass(slots=True)
class Measurement:
    """One run of a step; ``peak_rss_mb`` in 10^6 bytes."""

    started: datetime
    finished: datetime
    peak_rss_mb: float


@contextmanager
def measured() -> Iterator[Measurement]:
    """Measure the block; the values are there when it has ended."""
    since_here = _reset_peak()
    now = datetime.now(UTC)
    measurement = Measurement(now, now, 0.0)
    try:
        yield measurement
    finally:
        measurement.finished = datetime.now(UTC)
        measurement.peak_rss_mb = _peak_mb(since_here)


def _reset_peak() -> bool:
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK)
    except OSError:  # not Linux, or not allowed: the peak of the whole process is reported
        return False
    return True


def _peak_mb(since_reset: bool) -> float:
    if since_reset:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
