"""Which partitions of a load were slow: (rows, seconds) each."""

from __future__ import annotations

import pytest

from factload.reports.detail import slow_ones


@pytest.mark.parametrize(
    ("partitions", "flags"),
    [
        ([(1000, 1.0), (1000, 1.1), (1000, 0.9), (1000, 2.5)], "   x"),
        ([(1000, 1.0), (1000, 1.1), (1000, 0.9), (1000, 1.9)], "    "),  # more than half the median's speed
        ([(1000, 1.0), (1000, 1.1), (1000, 0.9), (30, 1.0)], "    "),  # the short last one
        ([(1000, 1.0), (1000, 1.1), (1000, 9.0)], "   "),  # three can't be compared
        ([(1000, 1.0), None, (1000, 1.1), (1000, 0.9), (1000, 2.5)], "    x"),
        ([(1000, 1.0), (1000, 0.0), (1000, 1.1), (1000, 0.9), (1000, 2.5)], "    x"),
        ([None, None], "  "),
        ([], ""),
    ],
)
def test_slow_partitions(partitions: list[tuple[int, float] | None], flags: str) -> None:
    assert slow_ones(partitions) == [flag == "x" for flag in flags]
