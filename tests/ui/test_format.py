"""How the page writes numbers, sizes and times: its own modules, asked in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from tests.ui.plant import Plant
from tests.ui.window import Window

pytestmark = pytest.mark.timeout(540)


@pytest.fixture(scope="module")
def page(plant: Plant, browser: Any, logins: Callable[[str], Any]) -> Iterator[Page]:
    """A page of the plugin's own, so that its scripts may be imported."""
    context = browser.new_context(storage_state=logins("admin"))
    seen = Window(context.new_page(), plant.site.url)
    yield seen.loads()
    context.close()


def call(page: Page, module: str, function: str, *arguments: Any) -> Any:
    return page.evaluate(
        "([module, name, given]) => import(new URL(`static/${module}.js`, document.baseURI).href)"
        ".then(found => found[name](...given))",
        [module, function, list(arguments)],
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0%"), (1, "100%"), (0.000001, "<0.001%"), (0.00001, "0.001%"), (0.00034, "0.034%"),
        (0.0009994, "0.1%"), (0.001, "0.1%"), (0.5, "50.0%"), (0.9994, "99.9%"), (0.99999, ">99.9%"), (None, "–"),
    ],
)  # fmt: skip
def test_a_share_is_never_rounded_to_all_or_nothing(page: Page, value: float | None, told: str) -> None:
    assert call(page, "format", "share", value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1, "1 kB"),
        (99_999, "100 kB"),
        (2_100_000, "2.1 MB"),
        (36_123_000, "36 MB"),
        (36_123_000_000, "36 GB"),
    ],
)
def test_sizes(page: Page, value: int, told: str) -> None:
    assert call(page, "format", "size", value) == told


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("1289436", "1289436.000000", ["1289436", "1289436"]),
        ("0", "0.0000", ["0", "0"]),
        ("-1.50", "-1.5", ["-1.5", "-1.5"]),
        ("10", "10.25", ["10.00", "10.25"]),
        ("100", "1000", ["100", "1000"]),
        (
            "0.1",
            "0.1000000000000000000000001",
            ["0.1000000000000000000000000", "0.1000000000000000000000001"],
        ),
    ],
)
def test_two_sums_have_as_many_decimals(page: Page, one: str, other: str, shown: list[str]) -> None:
    assert call(page, "format", "alike", one, other) == shown


@pytest.mark.parametrize(
    ("text", "is_day"),
    [("2026-11-05", True), ("2024-02-29", True), ("2026-02-30", False), ("2026-13-01", False), ("", False),
     ("today", False), ("2026-1-1", False)],
)  # fmt: skip
def test_a_day_that_there_is(page: Page, text: str, is_day: bool) -> None:
    assert call(page, "format", "isDay", text) is is_day


@pytest.mark.parametrize(
    ("end", "names"),
    [
        (0.5, ["0 s", "0.1 s", "0.2 s", "0.3 s", "0.4 s", "0.5 s"]),
        (2.2, ["0 s", "0.5 s", "1.0 s", "1.5 s", "2.0 s"]),
        (9, ["0 s", "2 s", "4 s", "6 s", "8 s"]),
        (500, ["0 s", "2 min", "4 min", "6 min", "8 min"]),
        (2_000, ["0 s", "10 min", "20 min", "30 min"]),
        (16_000, ["0 s", "1 h", "2 h", "3 h", "4 h"]),
        (90, ["0 s", "30 s", "1 min", "1 min 30 s"]),
    ],
)
def test_an_axis_of_time_has_whole_marks(page: Page, end: float, names: list[str]) -> None:
    assert [tick["name"] for tick in call(page, "ticks", "timeTicks", end, 5)] == names


@given(st.floats(min_value=0.1, max_value=3e6), st.integers(min_value=2, max_value=12))
@settings(max_examples=60, deadline=None)
def test_no_two_marks_of_an_axis_have_one_name(page: Page, end: float, most: int) -> None:
    ticks = call(page, "ticks", "timeTicks", end, most)
    assert len({tick["name"] for tick in ticks}) == len(ticks) <= most + 1
    assert all(tick["at"] <= end * 1.000001 for tick in ticks)
    assert call(page, "ticks", "timeEnd", end, most) >= end * 0.999999
