"""Steps as a person follows them: lines that move on a terminal, one line a finished step elsewhere."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TaskID, TextColumn
from rich.text import Text


class Steps:
    """Named steps with a note and, where there is something to count, a bar. For several threads."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self._notes: dict[str, str] = {}
        self._finished: set[str] = set()
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.fields[name]:<22}"),
            BarColumn(bar_width=24),
            _Seconds(),
            TextColumn("{task.fields[note]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, name: str, note: str | None = None, done: int = 0, total: int | None = None) -> None:
        """Say how far a step is; the first call begins it. Without `total` its bar only moves to and fro."""
        with self._lock:
            task = self._begin(name)
            if note is not None:
                self._notes[name] = note
            self._progress.update(task, completed=done, total=total, note=self._notes[name])

    def finish(self, name: str, note: str | None = None) -> None:
        """Say that a step is done."""
        with self._lock:
            task = self._begin(name)
            if name in self._finished:
                return
            self._finished.add(name)
            said = self._notes[name] if note is None else note
            self._progress.update(task, completed=1, total=1, note=said)
            if not self._console.is_terminal:
                seconds = time.monotonic() - self._began[name]
                self._console.print(f"{name:<22} {seconds:6.1f} s  {said}", soft_wrap=True)

    def _begin(self, name: str) -> TaskID:
        if name not in self._tasks:
            self._began[name] = time.monotonic()
            self._notes[name] = ""
            self._tasks[name] = self._progress.add_task("", total=None, name=name, note="")
        return self._tasks[name]


class _Seconds(ProgressColumn):
    """How long a step has taken, in seconds."""

    def render(self, task: object) -> Text:
        elapsed = getattr(task, "finished_time", None) or getattr(task, "elapsed", None) or 0.0
        return Text(f"{elapsed:6.1f} s", style="cyan")
