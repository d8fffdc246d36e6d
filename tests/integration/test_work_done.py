"""How much work a load is, counted and not timed: statements, rows a statement, bytes on the line, calls in Python.

Each figure stands beside the one that is kept here, and differs from it by no more than the tolerance that is written
beside it. A change that means to do more, or less, puts the new figures here, and says why in its message.
"""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from factload import steps
from factload.postgres.database import engine_for
from tests import sheetxml
from tests.counted_line import CountedLine
from tests.driver import OPEN, SteppedLoad
from tests.integration.place import PERIOD, Place

ROWS = 5_000  # in partitions of 2,000, by chunks of 1,000
MEMBERS = 50

# Statements by step and kind, exactly. How often the catalog is looked at is SQLAlchemy's business too: at most so often.
_ANY_STEP = {"INSERT factload": 1}  # its time and memory
_LOAD = {"SELECT": 4, "SELECT factload": 5, "UPDATE factload": 3, "DELETE factload": 1, "INSERT factload": 2}
STATEMENTS: Mapping[str, Mapping[str, int]] = {
    "open_load": {"SELECT": 6, "SELECT factload": 8, "INSERT factload": 3, "UPDATE factload": 2},
    "extract_dimension_map 1": {"SELECT": 3, "SELECT factload": 1, "SELECT dim_product": 1, **_ANY_STEP},
    "split_workbook": {
        **{"SELECT": 5, "SELECT factload": 4, "SELECT factload_staging": 1},
        **{"DELETE factload": 2, "INSERT factload": 2, "UPDATE factload": 3},
    },
    "load_partition 1": {**_LOAD, "INSERT factload_staging": 2},
    "load_partition 2": {**_LOAD, "INSERT factload_staging": 2},
    "load_partition 3": {**_LOAD, "INSERT factload_staging": 1},
    "reconcile": {
        **{"SELECT": 3, "SELECT factload": 5, "SELECT factload_staging": 1},
        **{"UPDATE factload": 2, **_ANY_STEP},
    },
    "publish": {
        **{"SELECT": 6, "SELECT factload": 7, "SELECT factload_staging": 2, "LOCK factload_staging": 1},
        **{"SAVEPOINT": 1, "LOCK fact_sales": 1, "DELETE fact_sales": 1, "INSERT fact_sales": 1, "SET": 1},
        **{"SELECT fact_sales": 1, "RELEASE": 1, "UPDATE factload": 4, "DELETE factload": 3, **_ANY_STEP},
    },
    "clean_staging": {"SELECT": 2, "SELECT factload": 2, "DROP factload_staging": 1, **_ANY_STEP},
}
LOOKS_AT_MOST = {"open_load": 16, "split_workbook": 8, "reconcile": 11, "publish": 15}
LOOKS_OF_ANOTHER_STEP = 4

# Kilobytes to the server and back, by way of inserting and step; a tenth more or less passes.
_SAME = {
    "open_load": (22.8, 8.7),
    "extract_dimension_map 1": (5.0, 3.0),
    "split_workbook": (13.9, 5.5),
    "reconcile": (14.0, 10.0),
    "publish": (24.1, 12.8),
    "clean_staging": (1.9, 1.4),
}
KILOBYTES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "core": _SAME
    | {"load_partition 1": (44.8, 4.7), "load_partition 2": (45.9, 4.7), "load_partition 3": (27.6, 4.6)},
    "copy": _SAME
    | {"load_partition 1": (121.6, 4.7), "load_partition 2": (121.6, 4.7), "load_partition 3": (65.5, 4.7)},
}
TOLERANCE = 0.1

# Calls in Python, and of C functions by Python, that a thousand rows more cost: none is made for each row.
CALLS_A_THOUSAND_ROWS = 50
# And those of a load of 10,000 rows in one partition, with room for other versions of Python and the libraries.
CALLS_AT_MOST = {
    "open_load": 27_000,
    "extract_dimension_map 1": 10_000,
    "split_workbook": 46_000,
    "load_partition 1": 15_500,
    "reconcile": 15_000,
    "publish": 29_000,
    "clean_staging": 6_500,
}

MEANT = "If this is meant, put the new figure into {name} and say in the commit why; else something does more than before."
_TARGET = re.compile(r"\b(?:INTO|UPDATE|FROM|TABLE)\s+(factload_staging|factload|fact_sales|dim_product)\b")


@pytest.fixture
def workbook(place: Place) -> Path:
    place.execute(
        f"INSERT INTO dim_product (primary_synthetic_key, business_key) "
        f"SELECT 1000 + n, 'P' || n FROM generate_series(0, {MEMBERS - 1}) AS n"
    )
    return written(place, ROWS)


def written(place: Place, rows: int) -> Path:
    """A workbook of so many rows, of which every 500th has a key that nobody knows."""
    header = sheetxml.text_row(1, ["business_key", "metric"])
    body = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{"nobody" if n % 500 == 0 else f"P{n % MEMBERS}"}</t></is></c>'
        f'<c r="B{n}"><v>{n % 97}.25</v></c></row>'
        for n in range(2, rows + 2)
    )
    return sheetxml.write(place.home / f"inbox/sales_{PERIOD}.xlsx", sheetxml.sheet(header + body))


def stepped(place: Place, url: str, changes: Mapping[str, Any] | None = None) -> SteppedLoad:
    feed = place.feed(changes)
    return SteppedLoad(partial(steps.open_load, feed, PERIOD, reload=True), feed, url)


def kind_of(statement: str) -> str:
    """What a statement does, and in which schema or table."""
    if "pg_catalog." in statement:
        return "looks"
    found = _TARGET.search(statement)
    verb = statement.split(maxsplit=1)[0]
    return f"{verb} {found[1]}" if found else verb


@contextmanager
def watched(url: str) -> Iterator[list[tuple[str, int]]]:
    """The kinds of all statements of the block, and how many rows the server says each was about."""
    seen: list[tuple[str, int]] = []

    def note(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        seen.append((kind_of(statement), cursor.rowcount))

    engine = engine_for(url)
    event.listen(engine, "after_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "after_cursor_execute", note)


def test_a_load_makes_the_statements_that_it_made_before(place: Place, workbook: Path) -> None:
    load = stepped(place, place.url)
    stepped(place, place.url).run(OPEN)  # the ledger is made
    made: dict[str, Counter[str]] = {}
    for step in load.steps:
        with watched(place.url) as seen:
            load.run(step)
        made[step] = Counter(kind for kind, _ in seen)
    looks = {step: counted.pop("looks", 0) for step, counted in made.items()}
    assert {step: dict(counted) for step, counted in made.items()} == STATEMENTS, MEANT.format(
        name="STATEMENTS"
    )
    more = {step: n for step, n in looks.items() if n > LOOKS_AT_MOST.get(step, LOOKS_OF_ANOTHER_STEP)}
    assert not more, MEANT.format(name="LOOKS_AT_MOST")


def test_rows_are_staged_and_published_by_the_chunk(place: Place, workbook: Path) -> None:
    with watched(place.url) as seen:
        stepped(place, place.url).go_on()
    staged = [rows for kind, rows in seen if kind == "INSERT factload_staging"]
    assert staged == [1_000, 996, 1_000, 996, 998]
    assert [rows for kind, rows in seen if kind == "INSERT fact_sales"] == [sum(staged)]
    assert [rows for kind, rows in seen if kind == "DELETE factload_staging"] == []


def test_what_is_published_ahead_reads_the_staged_rows_eight_times_at_most(
    place: Place, workbook: Path
) -> None:
    written(place, 40_000)
    load = stepped(place, place.url).until("load_partition")
    maps, partitions = load.maps, load.split.partitions
    assert len(partitions) == 20
    ahead = partial(steps.publish_as_staged, load.load, load.feed, partitions, maps, database=place.url)
    publisher = threading.Thread(target=ahead)
    with watched(place.url) as seen:
        publisher.start()
        for number in range(1, len(partitions) + 1):
            load.run(f"load_partition {number}")
        publisher.join()
    inserted = [rows for kind, rows in seen if kind == "INSERT fact_sales"]
    assert len(inserted) <= 8
    assert sum(inserted) == 40_000 - 40_000 // 500
    assert [rows for kind, rows in seen if kind == "SELECT fact_sales"] == [1]


@pytest.mark.parametrize("way", ["core", "copy"])
def test_a_load_moves_the_bytes_that_it_moved_before(
    place: Place, workbook: Path, tmp_path: Path, way: str
) -> None:
    moved: dict[str, tuple[float, float]] = {}
    with CountedLine(place.url, tmp_path / "line") as line:
        load = stepped(place, line.url, {"insert": way})
        for step in load.steps:
            sent, received = line.sent, line.received
            load.run(step)
            moved[step] = ((line.sent - sent) / 1000, (line.received - received) / 1000)
    kept = KILOBYTES[way]
    assert moved.keys() == kept.keys()
    off = {
        step: (moved[step], kept[step])
        for step in kept
        if any(abs(now - then) > TOLERANCE * then for now, then in zip(moved[step], kept[step], strict=True))
    }
    assert not off, f"step: (now, kept) {off}. " + MEANT.format(name="KILOBYTES")


def calls(do: Callable[[], Any]) -> int:
    """How many calls a piece of work makes, in this thread and in those that it starts."""
    made: Counter[int] = Counter()

    def note(_: Any, what: str, __: Any) -> None:
        if what in ("call", "c_call"):
            made[threading.get_ident()] += 1

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        do()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return made.total()


@pytest.mark.parametrize("way", ["core", "copy"])
def test_no_row_is_handled_by_itself(place: Place, workbook: Path, way: str) -> None:
    """A partition four times as long takes as many calls: rows are handled by the column, and by the chunk."""
    few, many = 10_000, 40_000
    whole = {"rows_per_partition": 50_000, "rows_per_chunk": 50_000, "insert": way}
    counted: dict[str, list[int]] = {}
    for rows in (few, few, many):  # the first compiles statements
        written(place, rows)
        load = stepped(place, place.url, whole)
        for step in load.steps:
            counted.setdefault(step, []).append(calls(partial(load.run, step)))
    made = {step: (first, last) for step, (_, first, last) in counted.items()}
    room = CALLS_A_THOUSAND_ROWS * (many - few) // 1_000
    grown = {step: both for step, both in made.items() if both[1] - both[0] > room}
    assert not grown, f"step: calls for {few} and {many} rows {grown}. " + MEANT.format(
        name="CALLS_A_THOUSAND_ROWS"
    )
    more = {step: both for step, both in made.items() if both[0] > CALLS_AT_MOST[step]}
    assert not more, f"step: calls for {few} and {many} rows {more}. " + MEANT.format(name="CALLS_AT_MOST")
