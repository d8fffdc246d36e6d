"""Fixtures that need a real part. Nothing is imported or started before a test asks for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from factload_demo.postgres import Server
    from tests.s3_server import S3Server

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        type=lambda folder: Path(folder).absolute(),
        metavar="FOLDER",
        help="the folder of the `initdb` and `postgres` that the tests start, instead of the embedded ones",
    )


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A PostgreSQL server that lives as long as the test run."""
    from factload_demo.postgres import throwaway

    with throwaway(pytestconfig.getoption("--postgres")) as server:
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


@pytest.fixture(scope="session")
def airflow_database(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes a database with Airflow's tables in it, of this name; returns its URL."""
    from tests.airflow_tables import with_airflow_tables

    return with_airflow_tables(postgres, tmp_path_factory.mktemp("airflow tables"))


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server of the S3 protocol that lives as long as the test run."""
    from tests.s3_server import s3_server

    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server
