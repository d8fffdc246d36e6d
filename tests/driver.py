"""A load whose steps are called one by one in this process, in the order that ``pipeline`` says."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Self

from factload.feed.model import Feed
from factload.load import DimensionMap, Load, Split
from factload.pipeline import steps_in_order
from factload.runtime.side_by_side import Step

OPEN = "open_load"


class SteppedLoad:
    """The steps have the names of the DAG's tasks; of those that run more than once, the calls are counted from 1:
    ``load_partition 2``.

    What a step returns is kept in ``load``, ``maps`` and ``split`` for the steps after it; a test may put something
    else there.
    """

    def __init__(self, opening: Callable[..., Load], feed: Feed, url: str) -> None:
        self.opening, self.feed, self.url = opening, feed, url
        self.load: Load
        self.returned: dict[str, list[Any]] = {}

    @property
    def maps(self) -> list[DimensionMap]:
        return self.returned["extract_dimension_map"]

    @maps.setter
    def maps(self, maps: list[DimensionMap]) -> None:
        self.returned["extract_dimension_map"] = maps

    @property
    def split(self) -> Split:
        [split] = self.returned["split_workbook"]
        assert isinstance(split, Split)
        return split

    @property
    def steps(self) -> Iterator[str]:
        """The names of all calls in their order, each to be run before the next is asked for."""
        for step in self._steps():
            yield from _names(step)

    def call(self, name: str) -> Callable[[], Any]:
        """The call of one step, ready for any process."""
        if name == OPEN:
            return functools.partial(self.opening, database=self.url)
        for step in self._steps():
            for named, arguments in zip(_names(step), step.arguments, strict=True):
                if name in (named, step.name):
                    feed = self.feed.at(self.load.period_date)
                    return functools.partial(step.call, self.load, feed, *arguments, database=self.url)
        raise AssertionError(f"the load has no {name}")

    def run(self, name: str) -> Any:
        """Run one step in this process, and keep what it returns."""
        result = self.call(name)()
        if name == OPEN:
            self.load = result
        else:
            step, _, number = name.partition(" ")
            results, at = self.returned.setdefault(step, []), int(number or 1) - 1
            results[at : at + 1] = [result]
        return result

    def until(self, name: str) -> Self:
        """Run all that comes before ``name``; a step without a number is meant with all its calls."""
        for step in self._steps():
            for named in _names(step):
                if name in (named, step.name):
                    return self
                self.run(named)
            if name == step.name:
                return self
        raise AssertionError(f"the load has no {name}")

    def go_on(self, name: str = OPEN) -> Self:
        """Run ``name``, and all that comes after it."""
        started = False
        for step in self._steps():
            started = started or name == step.name
            for named in _names(step):
                started = started or name == named
                if started:
                    self.run(named)
        return self

    def _steps(self) -> Iterator[Step]:
        yield Step(OPEN, self.opening)
        if not self.load.already_published:
            for side_by_side in steps_in_order(self.feed, self.returned):
                for step in side_by_side:
                    self.returned.setdefault(step.name, [])
                    yield step


def _names(step: Step) -> list[str]:
    if step.arguments == ((),):
        return [step.name]
    return [f"{step.name} {number}" for number in range(1, len(step.arguments) + 1)]
