"""The fixture `place`: a warehouse, an inbox and a feed of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.place import Place, place_in


@pytest.fixture(scope="module")
def module_place(tmp_path_factory: pytest.TempPathFactory, module_database: str) -> Iterator[Place]:
    """A place that the tests of one module share."""
    with (
        pytest.MonkeyPatch.context() as environment,
        place_in(tmp_path_factory.mktemp("place"), module_database, environment) as place,
    ):
        yield place


@pytest.fixture
def place(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place_in(tmp_path, database, monkeypatch) as place:
        yield place
