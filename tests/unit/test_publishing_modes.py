"""Every mode that a feed file can name is a module that says what it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from factload.errors import FeedError
from factload.fact import modes
from factload.fact.modes.registry import mode_named
from factload.feed.mode import MODE_SCHEMA, MODES, publishing_mode

SHARED = {"__init__", "mode", "publishing", "registry"}


def test_the_modules_of_the_room_are_the_modes_of_a_feed() -> None:
    [folder] = modes.__path__
    assert {path.stem for path in Path(folder).glob("*.py")} - SHARED == set(MODES)


@pytest.mark.parametrize("name", MODES)
def test_a_mode_says_which_rights_it_needs(name: str) -> None:
    assert mode_named(name).rights[0] == "SELECT"


@pytest.mark.parametrize("name", MODES)
def test_rows_that_are_replaced_are_found_by_the_load_column(name: str) -> None:
    assert not mode_named(name).replaces or MODES[name].needs_load_column


def test_a_mode_of_another_factload_is_named() -> None:
    with pytest.raises(FeedError, match=r"in mode swap, which this .* Expected: replace, .*a newer one"):
        mode_named("swap")


@pytest.mark.parametrize("example", MODE_SCHEMA.json_schema["examples"])  # type: ignore[index]
def test_every_example_of_the_schema_is_read(example: object) -> None:
    assert publishing_mode(example).kind in MODES  # type: ignore[attr-defined]
