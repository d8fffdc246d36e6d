"""The arena of every test here, and the table of faults that the suite keeps."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from arena import Arena, Book, make_book, place, publish_old
from faults import Fault

from factload_demo.postgres import Server

_TABLE = pytest.StashKey[dict[str, Fault]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-reliability",
        action="store_true",
        help="write what the fault suite sees into docs/reliability.md",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(name, by, over): what this test injects, and how")
    config.stash[_TABLE] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    table = config.stash[_TABLE]
    for item in items:
        if (marker := item.get_closest_marker("fault")) is not None:
            (name,) = marker.args
            heading = (inspect.getdoc(item.module) or "").splitlines()[0].rstrip(".")  # type: ignore[attr-defined]
            table.setdefault(name, Fault(heading, name, **marker.kwargs)).tests += 1
    items.sort(key=lambda item: item.path.stem == "test_reliability_page")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    marker = item.get_closest_marker("fault")
    if marker is not None and report.when == "call" and report.passed:
        item.config.stash[_TABLE][marker.args[0]].passed += 1
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    injected = sum(fault.times for fault in config.stash[_TABLE].values())
    if injected:
        terminalreporter.write_line(f"{injected} faults injected, docs/reliability.md says which")


@pytest.fixture(scope="session")
def fault_table(pytestconfig: pytest.Config) -> dict[str, Fault]:
    return pytestconfig.stash[_TABLE]


@pytest.fixture
def fault(request: pytest.FixtureRequest, fault_table: dict[str, Fault]) -> Fault:
    """The row of the table that belongs to this test's marker."""
    marker = request.node.get_closest_marker("fault")
    return fault_table[marker.args[0]]


@pytest.fixture(scope="session")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Book]:
    """The workbooks that loads here are made of."""
    folder = tmp_path_factory.mktemp("books")
    made = [
        make_book(folder, "old", seed=1),
        make_book(folder, "new", seed=2, rows=4_050),
        make_book(folder, "corrected", seed=3, rows=4_010),
        make_book(folder, "bystander", seed=4, rows=60),
        make_book(folder, "unfit", seed=5, rejected_every=50),
        make_book(folder, "small", seed=6, rows=300),
        make_book(folder, "smaller", seed=7, rows=200),
        make_book(folder, "empty", seed=8, rows=0),
    ]
    return {book.name: book for book in made}


@pytest.fixture(scope="session")
def template(postgres: Server, books: dict[str, Book], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database in which OLD and the bystander are published."""
    home, name = tmp_path_factory.mktemp("template") / "a project", "chaos_template"
    with pytest.MonkeyPatch.context() as monkeypatch:
        publish_old(place(home, postgres.create_database(name), books, monkeypatch))
    return name


@pytest.fixture
def arena(
    tmp_path: Path,
    postgres: Server,
    template: str,
    books: dict[str, Book],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Arena]:
    """OLD is published, NEW lies in the inbox."""
    url = postgres.create_database("chaos", template=template)
    arena = place(tmp_path / "a project", url, books, monkeypatch)
    arena.put("new")
    yield arena
    postgres.drop_database("chaos")
