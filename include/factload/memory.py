"""How a process of factload keeps its memory small."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        """Refuse pandas; leave everything else to the other finders."""
        if name == "pandas":
            raise ModuleNotFoundError("pandas is left out here", name=name)


def save_memory() -> None:
    """Use the system's allocator and keep pandas out, for this process; calling it again changes nothing.

    Arrow's usual allocator keeps freed memory for itself, by tens of megabytes a thread; the system's takes as long.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    _leave_pandas_out()


def give_back() -> None:
    """Return to the system what is freed: a worker runs many steps, a scan reads many windows."""
    pa.default_memory_pool().release_unused()


def _leave_pandas_out() -> None:
    """Keep pyarrow from importing pandas in this process: 50 MB and half a second, for frames nobody makes.

    pyarrow looks for pandas at its first scalar, and works without it when it finds none. Whoever asks it for a
    frame afterwards still gets one: it then looks again.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.scalar(0)
    finally:
        sys.meta_path.remove(finder)
