"""What a run was made with: machine, Python, PostgreSQL, and every package that takes part."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from benchmarks.contestants import ALL


def environment(postgresql: str) -> dict[str, str]:
    """By what a reader would call it; `postgresql` is the server's version."""
    packages = sorted({name for contestant in ALL for name in contestant.packages}, key=str.lower)
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": postgresql,
        "factload": version("factload"),
        **{name: version(name) for name in packages if is_here(name)},
    }


def is_here(package: str) -> bool:
    """Whether it is installed: two readers have wheels for Linux on x86-64 alone."""
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _processor() -> str:
    """As Linux names it; elsewhere what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
