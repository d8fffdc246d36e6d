"""Progress as bars on a terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress


class Bars:
    """Bars on standard error, when that is a terminal."""

    def __init__(self) -> None:
        self._bars = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description:16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows"),
            TimeElapsedColumn(),
            console=Console(file=sys.stderr),
            disable=not sys.stderr.isatty(),
        )
        self._reading = self._bars.add_task("split_workbook", total=None)
        self._loading = self._bars.add_task("load_partition", total=None, visible=False)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def rows_read(self, done: int) -> None:
        """Move the first bar."""
        self._bars.update(self._reading, completed=done)

    def rows_to_load(self, total: int) -> None:
        """End the first bar, show the second."""
        self._bars.update(self._reading, total=total, completed=total)
        self._bars.update(self._loading, total=total, visible=True)

    def rows_loaded(self, more: int) -> None:
        """Move the second bar."""
        self._bars.advance(self._loading, more)

    def step(self, name: str) -> None:
        """A line of its own for a step without rows to count."""
        self._bars.add_task(name, total=None)
