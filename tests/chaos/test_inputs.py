"""What comes in is hostile, or changes under the load."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from signal import SIGSTOP
from typing import Any

import pytest

from factload.errors import FactloadError, FeedError, RowsRefused, WorkbookError
from tests import sheetxml
from tests.chaos.faulty_process import Fault, FaultyProcess
from tests.chaos.harness import PERIOD, Attempt, Harness, refused
from tests.chaos.reliability import FaultRecord
from tests.feeds import ABSENT

HEADER = sheetxml.text_row(1, ["business_key", "metric"])
ENTITIES = '<!DOCTYPE worksheet [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


def bomb(path: Path) -> None:
    """300 MB of blanks in 300 kB."""
    sheetxml.write(path, sheetxml.sheet(HEADER + " " * 300_000_000))


def entities(path: Path) -> None:
    sheetxml.write(path, sheetxml.sheet(HEADER).replace("<worksheet", f"{ENTITIES}<worksheet", 1))


def corners(path: Path) -> None:
    far = '<row r="1048576"><c r="XFE1048576"><v>1</v></c></row>'
    sheetxml.write(path, sheetxml.sheet(HEADER + far))


def members(path: Path) -> None:
    sheetxml.write(path, sheetxml.sheet(HEADER), extra={f"xl/media/{n}.png": b"" for n in range(20_000)})


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_zip(path: Path) -> None:
    path.write_bytes(b"business_key;metric\n" * 100)


def other_header(path: Path) -> None:
    sheetxml.write(path, sheetxml.sheet(sheetxml.text_row(1, ["key", "amount"])))


HOSTILE = [
    ("holds 300 MB in 300 kB", bomb),
    ("declares entities", entities),
    ("has a cell beyond the last column", corners),
    ("has 20,000 members", members),
    ("is cut in half", half),
    ("is a text file", no_zip),
    ("has other headers", other_header),
]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(spoil, id=what, marks=pytest.mark.fault(f"the workbook {what}", by="a generated file"))
        for what, spoil in HOSTILE
    ],
)
def test_an_unfit_workbook_is_refused_and_the_worker_lives(
    harness: Harness, record: FaultRecord, spoil: Callable[[Path], None]
) -> None:
    spoil(harness.home / f"inbox/sales_{PERIOD}.xlsx")
    attempt = Attempt(harness).until("split_workbook")
    with FaultyProcess(attempt.call("split_workbook")) as worker:
        end = worker.end()
    assert not end.killed
    assert isinstance(end.error, WorkbookError)
    assert end.error.remedy or end.error.expected
    assert harness.stands() == "old"
    harness.put("new")
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="a whole workbook is exact", error=end.error)


@pytest.mark.fault("more rows are rejected than the feed allows", by="2 % unknown keys, 1 % allowed")
def test_too_many_rejects(harness: Harness, record: FaultRecord) -> None:
    workbook = harness.put("unfit")
    attempt = Attempt(harness).until("reconcile")
    error = refused(attempt.call("reconcile"))
    assert isinstance(error, RowsRefused)
    assert harness.stands() == "old"
    kept = harness.rows(
        'SELECT "row", reason FROM factload.rejects WHERE content = :content ORDER BY 1',
        content=attempt.load.content,
    )
    assert kept == list(workbook.rejects)
    harness.change_feed({"max_rejects": "5%"})
    Attempt(harness).go_on()
    harness.proves("unfit")
    record.injected(seen="before", end="rejects are kept; exact once they are allowed", error=error)


@pytest.mark.parametrize(
    ("step", "point"),
    [
        ("open_load", "COMMIT"),
        ("split_workbook", "open"),
        ("split_workbook", "rename"),
        ("load_partition 2", "COMMIT"),
    ],
)
@pytest.mark.fault(
    "the workbook is overwritten during the load", by="SIGSTOP, another workbook in its place, SIGCONT"
)
def test_the_workbook_is_overwritten(harness: Harness, record: FaultRecord, step: str, point: str) -> None:
    """What is published is the workbook whose hash the ledger has, or nothing."""
    attempt = Attempt(harness).until(step)
    with FaultyProcess(attempt.call(step), Fault(SIGSTOP, before=point)) as process:
        assert process.reached()
        shutil.copyfile(harness.workbooks["corrected"].path, harness.home / f"inbox/sales_{PERIOD}.xlsx")
        process.wake()
        process.end()
    try:
        attempt.go_on(step)
    except FactloadError:
        assert harness.stands() == "old"
    else:
        assert harness.stands() in ("new", "corrected")
    Attempt(harness).go_on()
    harness.proves("corrected")
    record.injected(seen="before", end="nothing mixed is published; the new workbook is exact")


@pytest.mark.fault(
    "the dimension changes as it is read", by="SIGSTOP within its snapshot, UPDATE of every key, SIGCONT"
)
def test_the_dimension_is_one_snapshot(harness: Harness, record: FaultRecord) -> None:
    attempt = Attempt(harness).until("extract_dimension_map")
    with FaultyProcess(attempt.call("extract_dimension_map"), Fault(SIGSTOP, before="COPY")) as process:
        assert process.reached()
        harness.execute(
            "UPDATE dim_product SET business_key = 'Q' || business_key WHERE primary_synthetic_key >= 1050"
        )
        process.wake()
        attempt.maps = [process.end().result]
    harness.execute("UPDATE dim_product SET business_key = ltrim(business_key, 'Q')")
    attempt.go_on("split_workbook")
    harness.proves("new")
    record.injected(seen="before", end="exact: one snapshot, whole")


@pytest.mark.fault("a member is deleted during the load", by="DELETE after the dimension was read")
def test_a_member_is_deleted(harness: Harness, record: FaultRecord) -> None:
    harness.execute("INSERT INTO dim_product VALUES (5000, 'nobody')")
    attempt = Attempt(harness).until("publish")
    harness.execute("DELETE FROM dim_product WHERE primary_synthetic_key = 5000")
    error = refused(attempt.call("publish"))
    assert harness.stands() == "old"
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="exact in a new attempt", error=error)


@pytest.mark.parametrize(
    "name", ["../secret.xlsx", "inbox/../../secret.xlsx", "inbox/link.xlsx", "{outside}"]
)
@pytest.mark.fault(
    "the workbook lies outside the allowed roots", by="`..`, a link, an absolute path as --workbook"
)
def test_no_path_leads_out(harness: Harness, record: FaultRecord, name: str) -> None:
    outside = harness.home.parent / "secret.xlsx"
    shutil.copyfile(harness.workbooks["corrected"].path, outside)
    (harness.home / "inbox/link.xlsx").symlink_to(outside)
    attempt = Attempt(harness)
    error = refused(lambda: attempt.call("open_load")(workbook=name.format(outside=outside)))  # type: ignore[call-arg]
    assert error.code == "workbook_not_allowed"
    assert harness.stands() == "old"
    attempt.go_on()
    harness.proves("new")
    record.injected(seen="before", end="refused")


NASTY = 'x"; DROP TABLE fact_sales; --'
METRIC = {"column": "metric", "type": "numeric(18,4)", "required": True}


@pytest.mark.parametrize(
    "changes",
    [
        {"fact.table": NASTY},
        {"fact.load_column": NASTY},
        {"dimensions.product.table": NASTY},
        {"dimensions.product.business_key": NASTY},
        {"fact.columns.metric": ABSENT, f"fact.columns.{NASTY}": METRIC},
    ],
)
@pytest.mark.fault("an identifier in the feed is SQL", by="quotes and DROP TABLE in five places")
def test_identifiers_are_never_sql(harness: Harness, record: FaultRecord, changes: dict[str, Any]) -> None:
    harness.change_feed(changes)
    error = refused(Attempt(harness).call("open_load"))
    assert isinstance(error, FeedError)
    assert harness.readers_see() == "old"
    record.injected(seen="before", end="refused")


@pytest.mark.fault("a table really has a name like SQL", by="a fact table called so")
def test_a_nasty_name_is_quoted(harness: Harness, record: FaultRecord) -> None:
    harness.execute(f"""ALTER TABLE fact_sales RENAME TO "{NASTY.replace('"', '""')}" """)
    harness.change_feed({"fact.table": NASTY})
    Attempt(harness).go_on()
    harness.execute(f"""ALTER TABLE "{NASTY.replace('"', '""')}" RENAME TO fact_sales""")
    harness.change_feed({"fact.table": "fact_sales"})
    assert harness.readers_see() == "new"
    record.injected(seen="after", end="loaded, quoted")
