"""What a promised figure is: a name, a way to measure it, and what came of it beside its goal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.warehouse import Warehouse


class WrongResult(Exception):
    """What was measured did not do what it was measured for."""


class NotHere(Exception):
    """This machine lacks what the figure is measured with; the message says how to get it."""


@dataclass(frozen=True)
class Setting:
    """What every figure is given. ``rows``: of the demo's workbook; ``quick``: a look, for which goals mean nothing."""

    folder: Path
    warehouse: Warehouse
    rows: int
    repeats: int
    quick: bool

    def rounds(self) -> Iterable[int]:
        """Each round measures everything once, so that a slow minute hits all alike."""
        return range(self.repeats)


@dataclass(frozen=True)
class Line:
    """One line of the table. Without a ``goal`` it is there to explain the others."""

    what: str
    seen: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached, if there is one."""
        return None if self.goal is None else self.seen <= self.goal

    def in_words(self) -> str:
        """As a row of a Markdown table."""
        goal = "" if self.goal is None else f"≤ {self.goal:g} {self.unit}"
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        digits = 0 if self.unit == "MB" else 2 if abs(self.seen) < 10 else 1
        return f"| {self.what} | {self.seen:,.{digits}f} {self.unit} | {goal} | {verdict} | {self.note} |"


@dataclass(frozen=True)
class Measured:
    """What a figure came to: its lines, every single run, and how busy the machine was before it began."""

    lines: Sequence[Line]
    runs: Sequence[dict[str, Any]]
    load_average: float = 0.0
    began: str = ""
    seconds: float = 0.0
    rows: int = 0

    def to_json(self) -> dict[str, Any]:
        """For the file of details."""
        return asdict(self) | {"lines": [asdict(line) | {"met": line.met} for line in self.lines]}


@dataclass(frozen=True)
class Figure:
    """``name`` is what ``--only`` takes; ``measure`` raises ``WrongResult``, or any error of what it runs."""

    name: str
    measure: Callable[[Setting], Measured]


@dataclass
class Runs:
    """The values of each run by name, printed as they come."""

    figure: str
    taken: list[dict[str, Any]] = field(default_factory=list)

    def add(self, **values: Any) -> None:
        """Keep the values of one round."""
        self.taken.append(values)
        shown = ", ".join(
            f"{name.replace('_', ' ')} {value:,.2f}"
            for name, value in values.items()
            if isinstance(value, float)
        )
        print(f"  {self.figure:16} {shown}", flush=True)

    def median(self, name: str) -> float:
        """Of one value over all rounds."""
        return float(median(run[name] for run in self.taken))

    def most(self, name: str) -> float:
        """The highest of all rounds: what memory is judged by."""
        return max(float(run[name]) for run in self.taken)


def measured(figure: Figure, setting: Setting) -> Measured:
    """Measure a figure, and note when and beside which load."""
    busy, began, started = os.getloadavg()[0], datetime.now(UTC), time.monotonic()
    print(f"  {figure.name:16} begins beside a load of {busy:.1f}", flush=True)
    found = figure.measure(setting)
    return Measured(
        found.lines,
        found.runs,
        round(busy, 2),
        began.isoformat(timespec="seconds"),
        round(time.monotonic() - started, 1),
        setting.rows,
    )


def table(results: dict[str, Measured]) -> str:
    """A Markdown table, goal and figure side by side."""
    lines = ["", "| promised | seen | goal |  |  |", "| --- | ---: | ---: | --- | --- |"]
    for result in results.values():
        lines += [line.in_words() for line in result.lines]
    loads = ", ".join(f"{name} {result.load_average:.1f}" for name, result in results.items())
    return "\n".join([*lines, "", f"load of the machine as each began: {loads}"])
