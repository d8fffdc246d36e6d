"""The fixture `harness`, and what is recorded of every fault for docs/reliability.md."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from signal import SIGKILL

import pytest

from factload_demo.postgres import Server
from tests.chaos.faulty_process import END, Fault
from tests.chaos.harness import (
    EXCHANGE,
    FEED,
    PARTITIONED,
    TABLES,
    Harness,
    Workbook,
    make_workbook,
    place,
    publish_old,
)
from tests.chaos.reliability import FaultRecord

_TABLE = pytest.StashKey[dict[str, FaultRecord]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-reliability",
        action="store_true",
        help="write what the fault suite sees into docs/reliability.md",
    )
    parser.addoption(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="kill steps at every Nth point and their end alone, each day at others",
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
            table.setdefault(name, FaultRecord(heading, name, **marker.kwargs)).tests += 1
    items.sort(key=lambda item: item.path.stem == "test_reliability_page")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    marker = item.get_closest_marker("fault")
    if marker is not None and report.when == "call" and report.passed:
        item.config.stash[_TABLE][marker.args[0]].passed += 1
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    injected = sum(record.times for record in config.stash[_TABLE].values())
    if injected:
        terminalreporter.write_line(f"{injected} faults injected, docs/reliability.md says which")


@pytest.fixture(scope="session")
def fault_records(pytestconfig: pytest.Config) -> dict[str, FaultRecord]:
    return pytestconfig.stash[_TABLE]


@pytest.fixture
def record(request: pytest.FixtureRequest, fault_records: dict[str, FaultRecord]) -> FaultRecord:
    """The row of the table that belongs to this test's marker."""
    marker = request.node.get_closest_marker("fault")
    return fault_records[marker.args[0]]


@pytest.fixture
def points(pytestconfig: pytest.Config) -> Iterator[Fault]:
    """The points at which a step is killed: its end, and each of the others or as ``--every`` says."""
    every: int = pytestconfig.getoption("--every")
    numbers = itertools.count(date.today().toordinal() % every, every)
    return itertools.chain([Fault(SIGKILL, before=END)], (Fault(SIGKILL, nth=number) for number in numbers))


@pytest.fixture(scope="session")
def workbooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Workbook]:
    """The workbooks that loads here are made of."""
    folder = tmp_path_factory.mktemp("workbooks")
    made = [
        make_workbook(folder, "old", seed=1),
        make_workbook(folder, "new", seed=2, rows=4_050),
        make_workbook(folder, "corrected", seed=3, rows=4_010),
        make_workbook(folder, "control", seed=4, rows=60),
        make_workbook(folder, "unfit", seed=5, rejected_every=50),
        make_workbook(folder, "small", seed=6, rows=300),
        make_workbook(folder, "smaller", seed=7, rows=200),
        make_workbook(folder, "empty", seed=8, rows=0),
    ]
    return {workbook.name: workbook for workbook in made}


@pytest.fixture(scope="session")
def template(
    postgres: Server, workbooks: dict[str, Workbook], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a database in which OLD and the control load are published."""
    return _published(postgres, workbooks, tmp_path_factory, "chaos_template", FEED, TABLES)


@pytest.fixture(scope="session")
def partitioned_template(
    postgres: Server, workbooks: dict[str, Workbook], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The same with a fact table that is partitioned by load, published by exchange."""
    return _published(postgres, workbooks, tmp_path_factory, "chaos_partitioned", EXCHANGE, PARTITIONED)


def _published(
    postgres: Server,
    workbooks: dict[str, Workbook],
    folders: pytest.TempPathFactory,
    name: str,
    feed: str,
    tables: str,
) -> str:
    home = folders.mktemp(name) / "a project"
    with pytest.MonkeyPatch.context() as monkeypatch:
        publish_old(place(home, postgres.create_database(name), workbooks, monkeypatch, feed), tables)
    return name


@pytest.fixture
def harness(
    tmp_path: Path,
    postgres: Server,
    template: str,
    workbooks: dict[str, Workbook],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Harness]:
    """OLD is published, NEW lies in the inbox."""
    with _copied(postgres, template, tmp_path, workbooks, monkeypatch, FEED) as harness:
        yield harness


@pytest.fixture
def exchanging(
    tmp_path: Path,
    postgres: Server,
    partitioned_template: str,
    workbooks: dict[str, Workbook],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Harness]:
    """OLD is published by exchange, NEW lies in the inbox."""
    with _copied(postgres, partitioned_template, tmp_path, workbooks, monkeypatch, EXCHANGE) as harness:
        yield harness


@contextmanager
def _copied(
    postgres: Server,
    template: str,
    folder: Path,
    workbooks: dict[str, Workbook],
    monkeypatch: pytest.MonkeyPatch,
    feed: str,
) -> Iterator[Harness]:
    url = postgres.create_database("chaos", template=template)
    harness = place(folder / "a project", url, workbooks, monkeypatch, feed)
    harness.put("new")
    yield harness
    postgres.drop_database("chaos")
