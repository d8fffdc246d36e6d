"""Output of worker processes: kept off the terminal, and written into a file when one of them dies.

A process without memory, or that can't import, prints a traceback of its own before anybody hears of it.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from factload.last_net import write_details

_MOST_BYTES = 1 << 20
_STDERR = 2
_kept: IO[bytes] | None = None


@contextmanager
def kept_from_the_terminal() -> Iterator[None]:
    """A process that is started in the block, and all that it starts, prints to a file that goes with this process."""
    global _kept  # noqa: PLW0603 - a process has one server that its workers are forked from
    if _kept is None:
        _kept = tempfile.TemporaryFile()  # noqa: SIM115 - it stays open until the process ends
        atexit.register(_kept.close)
    terminal = os.dup(_STDERR)
    os.dup2(_kept.fileno(), _STDERR)
    try:
        yield
    finally:
        os.dup2(terminal, _STDERR)
        os.close(terminal)


def where_they_are() -> str:
    """A sentence with the file that now holds what was printed; empty when nothing was."""
    if _kept is None:
        return ""
    said = os.pread(_kept.fileno(), _MOST_BYTES, 0).decode(errors="backslashreplace")
    file = write_details(said) if said.strip() else None
    return f"What it printed is in {file}" if file else ""
