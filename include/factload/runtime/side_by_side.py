"""The steps of one load at work in worker processes, those that come together side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from factload.feed.model import Feed
from factload.load import Load
from factload.progress import Progress
from factload.runtime.processes import Running, Workers


@dataclass(frozen=True)
class Step:
    """A step by the name of its task in the DAG; it is called once with each of ``arguments``, after load and feed."""

    name: str
    call: Callable[..., Any]
    arguments: Sequence[tuple[Any, ...]] = ((),)


@dataclass(frozen=True)
class SideBySide:
    """Runs the steps of ``load``, and tells ``progress`` of them. ``returned``: what each has returned, by its name."""

    load: Load
    feed: Feed
    database: str
    progress: Progress
    workers: Workers
    returned: dict[str, list[Any]] = field(default_factory=dict)

    def start(self, steps: Sequence[Step]) -> list[tuple[Step, Running]]:
        """Begin all calls of ``steps``, which are at work then."""
        at_work = []
        for step in steps:
            self._show(step)
            calls = [(step.call, (self.load, self.feed, *arguments)) for arguments in step.arguments]
            at_work.append((step, self.workers.start(calls, database=self.database)))
        return at_work

    def end(self, at_work: Sequence[tuple[Step, Running]]) -> None:
        """Wait for what they return. Raises what they raise; of several errors, that of the last step."""
        for step, running in reversed(at_work):
            for result in running.as_they_come():
                if step.name == "load_partition":
                    self.progress.rows_loaded(result.staged + result.rejected)
            self.returned[step.name] = running.results()

    def _show(self, step: Step) -> None:
        """Tell the person who watches that ``step`` begins."""
        if step.name == "load_partition":
            [split] = self.returned["split_workbook"]
            self.progress.rows_to_load(split.rows)
        elif step.name in ("reconcile", "publish"):
            self.progress.step(step.name)
