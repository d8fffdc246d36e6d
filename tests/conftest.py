"""Fixtures that need a real part. Nothing is imported or started before a test asks for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from factload_demo.postgres import Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server that lives as long as the test run."""
    from factload_demo.postgres import throwaway

    with throwaway() as server:
        yield server


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """The URL of an empty database of this test alone."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def module_database(postgres: Server) -> Iterator[str]:
    """The URL of a database that the tests of one module share."""
    name = f"module_{next(_numbers)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)
