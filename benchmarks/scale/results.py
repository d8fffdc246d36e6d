"""What docs/scaling.json holds, in the words of its readers: page, plots and tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.page import BUSY, Document

GOAL_MB = 400.0  # of every process
GOAL_RATIO = 0.85  # of the small load's rows a second
GOAL_OFF = 0.25  # of a prediction, as a share of what was measured

Run = Mapping[str, Any]  # as ``LoadRun`` has it


def small_run(document: Document) -> Run:
    """The median of the small loads."""
    ordered: list[Run] = sorted(document["small"], key=lambda run: float(run["seconds"]))
    return ordered[len(ordered) // 2]


def all_runs(document: Document) -> list[Run]:
    """The small load and the large ones."""
    return [small_run(document), *document["large"]]


def rate(run: Run) -> float:
    """Rows a second."""
    return float(run["rows"] / run["seconds"])


def cpu_a_row(run: Run) -> float:
    """Processor seconds, client and server together."""
    return float((run["cpu"] + run["server_cpu"]) / run["rows"])


def largest_mb(run: Run) -> float:
    """The most that one process held."""
    return float(max(run["steps_mb"].values()))


def size_text(run: Run) -> str:
    """Rows and members."""
    return f"{run['rows']:,} × {run['members']:,}"


def table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """In Markdown, figures to the right."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def is_busy(run: Run) -> bool:
    """Whether others used so much of the machine that its time is not judged."""
    return float(run["others"]) > BUSY


def met(goal: bool) -> str:
    """A goal's verdict."""
    return "met" if goal else "**missed**"
