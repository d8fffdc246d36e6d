"""Workbooks in an object store: a server of the S3 protocol, the loads that read it, and what they leave behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import openpyxl
import pytest
from moto.server import ThreadedMotoServer

from factload import steps
from factload.check.load import check_load
from factload.doctor import examine
from factload.errors import FactloadError, FeedError, TransientError, WorkbookError
from factload.load import Load
from factload.progress import Quiet
from factload.split.incoming import received_at
from factload.split.incoming.place import place_of, there_at
from factload.split.remote import create
from factload.split.sources import openable, read_sources
from factload.staging import store_errors
from factload.staging.objects import file_system
from factload_deployment.store import main as fill
from tests.integration.place import PERIOD, Place

BUCKET = "s3://reports"
LOAD = "sales@2026-11-05"
ONE = {"workbook.path": "s3://reports/in/sales_{period}.xlsx"}
ALL = {"workbook.path": "s3://reports/in/**/*.xlsx"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(server: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The bucket, empty, as the place's only allowed root."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "for-tests")
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", f"{BUCKET}/in/")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    files = fsspec.filesystem("s3")
    files.mkdir("reports")
    yield files
    files.rm("reports", recursive=True)


def put(place: Place, store: Any, name: str, rows: list[tuple[Any, ...]]) -> None:
    (place.home / "inbox").mkdir(exist_ok=True)
    store.put_file(str(place.workbook(rows)), f"reports/in/{name}")


def copies(place: Place) -> list[Path]:
    folder = place.home / ".staging/workbooks"
    return [path for path in folder.rglob("*") if path.is_file()]


def opened(place: Place) -> Load:
    return steps.open_load(place.feed(ONE), PERIOD, database=place.url)


def test_workbooks_of_a_bucket_are_one_load(place: Place, store: Any) -> None:
    put(place, store, "north.xlsx", [("A1", 10), ("nobody", 1)])
    put(place, store, "2026/south.xlsx", [("B2", 20)])
    for name in ("~$north.xlsx", "half.xlsx.part", ".old/north.xlsx"):
        store.pipe(f"reports/in/{name}", b"no workbook")
    feed = place.feed(ALL)
    load = place.load(feed)
    names = [f"{BUCKET}/in/2026/south.xlsx", f"{BUCKET}/in/north.xlsx"]
    assert [source.path for source in load.sources] == names
    assert place.facts() == [(1, "10.0000", LOAD), (2, "20.0000", LOAD)]
    [reject] = place.rejects()
    assert (reject.workbook, reject.address) == (names[1], "Facts!A3")
    assert place.load(feed).already_published


def test_the_command_line_reads_urls_and_sends_rejects_back(place: Place, store: Any, tmp_path: Path) -> None:
    put(place, store, f"sales_{PERIOD}.xlsx", [("A1", 10), ("nobody", 1)])
    place.feed_file(ONE)

    def factload(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("factload")), *arguments]
        variables = os.environ | environment
        return subprocess.run(
            command, capture_output=True, text=True, env=variables, check=False, timeout=120
        )

    period = ("--period", str(PERIOD))
    assert factload("check", "sales", *period).returncode == 0
    assert factload("run", "sales", *period).returncode == 0
    assert place.facts() == [(1, "10.0000", LOAD)]
    assert factload("rejects", LOAD, "--xlsx", str(tmp_path / "back.xlsx")).returncode == 0
    workbook = openpyxl.load_workbook(tmp_path / "back.xlsx")
    sheet = workbook.worksheets[0]
    [cell] = [cell for row in sheet for cell in row if cell.value == "nobody"]
    cell.value = "B2"
    workbook.save(tmp_path / "back.xlsx")
    store.put_file(str(tmp_path / "back.xlsx"), "reports/in/corrected.xlsx")
    replayed = factload("replay", LOAD, "--workbook", f"{BUCKET}/in/corrected.xlsx")
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert place.facts() == [(1, "10.0000", LOAD), (2, "1.0000", LOAD)]
    missing = factload("run", "sales", *period, "--workbook", f"{BUCKET}/in/none.xlsx")
    assert (missing.returncode, "there is no workbook s3://reports/in/none.xlsx" in missing.stderr) == (
        3,
        True,
    )
    down = factload(
        "run", "sales", *period, "--workbook", f"{BUCKET}/in/none.xlsx", AWS_ENDPOINT_URL="http://127.0.0.1:1"
    )
    assert (down.returncode, "answered with an error" in down.stderr) == (4, True)


def test_the_load_reads_what_it_was_opened_with(place: Place, store: Any) -> None:
    put(place, store, f"sales_{PERIOD}.xlsx", [("A1", 10)])
    load = opened(place)
    put(place, store, f"sales_{PERIOD}.xlsx", [("A1", 99), ("A1", 99)])
    assert steps.split_workbook(load, place.feed(ONE), database=place.url).rows == 1


def test_a_copy_that_is_gone_is_fetched_again_unless_it_is_another(place: Place, store: Any) -> None:
    put(place, store, f"sales_{PERIOD}.xlsx", [("A1", 10)])
    load = opened(place)
    copies(place)[0].unlink()
    assert steps.split_workbook(load, place.feed(ONE), database=place.url).rows == 1
    copies(place)[0].unlink()
    put(place, store, f"sales_{PERIOD}.xlsx", [("A1", 99)])
    with pytest.raises(WorkbookError, match="was overwritten") as caught:
        steps.split_workbook(load, place.feed(ONE), database=place.url)
    assert caught.value.code == "workbook_changed"


@pytest.mark.parametrize(
    "name",
    [
        "s3://reports/other.xlsx", "s3://reports/inner/a.xlsx", "s3://reports/in/../other.xlsx", "s3://reports/in/%2e%2e/o.xlsx",
        "s3://reports/in/*/../../other.xlsx", "s3://other/in/a.xlsx", "gs://reports/in/a.xlsx", "file:///etc/passwd",
        "s3://reports/in/a.zip::file:///etc/passwd", "zip://a.xlsx::s3://reports/in/a.zip", "s3://reports/in",
    ],
)  # fmt: skip
def test_no_url_leads_out_of_the_allowed_roots(place: Place, store: Any, name: str) -> None:
    store.pipe("reports/other.xlsx", b"")
    with pytest.raises(WorkbookError, match=r"outside the allowed roots.*s3://reports/in") as caught:
        read_sources(name)
    assert caught.value.code == "workbook_not_allowed"


def test_a_password_in_a_url_is_refused_and_not_repeated(place: Place, store: Any) -> None:
    with pytest.raises(WorkbookError, match="holds a password") as caught:
        read_sources("sftp://loader:hunter2@host/in/a.xlsx")
    assert "hunter2" not in str(caught.value)


def test_a_password_in_a_root_is_refused_and_not_repeated(
    place: Place, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", "inbox,sftp://loader:hunter2@host/in")
    with pytest.raises(FeedError, match="a URL with a password") as caught:
        read_sources("inbox/a.xlsx")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("root", "kind", "code"),
    [
        ("s3://nowhere", WorkbookError, "workbook_missing"),
        ("nonsense://place", FeedError, "protocol_unknown"),
        ("gs://place", FeedError, "protocol_unknown"),
        ("file:///srv/inbox", FeedError, "setting_invalid"),
    ],
)
def test_a_root_that_leads_nowhere(
    place: Place, store: Any, monkeypatch: pytest.MonkeyPatch, root: str, kind: type[FactloadError], code: str
) -> None:
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", root)
    with pytest.raises(kind) as caught:
        read_sources(f"{root}/a.xlsx")
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["a.xlsx", "*.xlsx"])
def test_a_store_that_is_down_is_worth_a_retry(
    place: Place, store: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        store.clear_instance_cache()
        with pytest.raises(TransientError) as caught:
            read_sources(f"{BUCKET}/in/{name}")
    assert caught.value.code == "store_unreachable"
    store.clear_instance_cache()
    with pytest.raises(WorkbookError) as caught_later:
        read_sources(f"{BUCKET}/in/{name}")
    assert caught_later.value.code == "workbook_missing"


def test_copies_that_nobody_came_back_for_are_swept(place: Place, store: Any) -> None:
    put(place, store, f"sales_{PERIOD}.xlsx", [("A1", 10)])
    opened(place)
    put(place, store, "other.xlsx", [("A1", 20)])
    [other] = read_sources(f"{BUCKET}/in/other.xlsx")
    (place.home / ".staging/workbooks/.killed.part").write_bytes(b"half a work")
    two_days_ago = time.time() - timedelta(days=2).total_seconds()
    for path in copies(place):
        os.utime(path, (two_days_ago, two_days_ago))
    copy = openable(other)
    assert isinstance(copy, Path)
    assert copy.stat().st_mtime > two_days_ago  # asked for: it stays
    os.utime(copy, (two_days_ago, two_days_ago))
    opened(place)
    assert [path.name for path in copies(place)] == [f"sales_{PERIOD}.xlsx"]


def test_a_check_writes_nothing_to_the_database(place: Place, store: Any) -> None:
    put(place, store, f"sales_{PERIOD}.xlsx", [("A1", 10), ("nobody", 1)])
    report = check_load(place.feed(ONE), PERIOD, database=place.url, progress=Quiet())
    assert (report.rows["source"], report.rejects) == (2, {"unmatched_key": 1})
    assert place.rows("SELECT to_regclass('factload.loads')") == [(None,)]


def test_the_doctor_asks_every_store(place: Place, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", f"inbox, {BUCKET}/in, {BUCKET}/later, gs://none")
    store.pipe("reports/in/a.xlsx", b"")
    found = [(finding.about, finding.state) for finding in examine(place.url) if finding.check == "store"]
    assert found == [(f"{BUCKET}/in", "ok"), (f"{BUCKET}/later", "warning"), ("gs://none", "problem")]


def test_a_workbook_that_is_uploaded_is_a_whole_object_and_replaces_none_unseen(
    place: Place, store: Any
) -> None:
    feed = place.feed(ONE)
    where = place_of(feed, PERIOD, "mine.xlsx")

    def upload(rows: list[tuple[Any, ...]], over: str = "") -> str:
        with received_at(where, 1 << 20) as received:
            before = there_at(where)
            received.write(place.workbook(rows).read_bytes())
            assert there_at(where) == before
            return received.put(feed, over).sha256

    first = upload([("A1", 1)])
    assert [source.sha256 for source in place.load(feed).sources] == [first]
    with pytest.raises(
        WorkbookError, match=r"there is another workbook at s3://reports/in/sales_2026-11-05\.xlsx"
    ):
        upload([("A1", 2)])
    seen = there_at(where)
    assert seen is not None
    assert (seen.sha256, datetime.now(UTC) - seen.changed < timedelta(minutes=5)) == (first, True)
    upload([("A1", 2)], over=first)
    place.load(feed)
    assert place.facts() == [(1, "2.0000", LOAD)]
    assert not create(place.workbook([("A1", 3)]), where.path)  # as who looked a moment before the other
    with pytest.raises(WorkbookError, match="outside the allowed roots"):
        place_of(place.feed({"workbook.path": "s3://reports/{period}.xlsx"}), PERIOD, "")


def test_a_late_object_is_waited_for(place: Place, store: Any) -> None:
    from factload.airflow.workbook_trigger import WorkbookTrigger

    until = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
    trigger = WorkbookTrigger(f"{BUCKET}/in/late.xlsx", until, every=0.2)

    async def wait() -> Any:
        waiting = asyncio.ensure_future(anext(aiter(trigger.run())))
        await asyncio.sleep(1)
        assert not waiting.done()
        await asyncio.to_thread(put, place, store, "late.xlsx", [("A1", 10)])
        return await asyncio.wait_for(waiting, 30)

    assert asyncio.run(wait()).payload == {"there": True}


def test_the_inbox_of_a_deployment_is_copied_into_its_store(
    place: Place, server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bucket is made, what is new is copied, and a feed finds it at the same path as in a folder."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "for-tests")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("FACTLOAD_WORKBOOKS", "s3://deployed")
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", "s3://deployed/inbox")
    file_system.cache_clear()
    workbook = place.workbook([("A1", 10)])
    (workbook.parent / "more").mkdir()
    (workbook.parent / "more/b.csv").write_text("one")
    (workbook.parent / "c.xlsx.part").write_text("half of it")

    def copied() -> list[str]:
        assert fill() == 0
        return [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()[:-1]]

    assert copied() == ["inbox/more/b.csv", f"inbox/{workbook.name}"]
    assert copied() == []
    (workbook.parent / "more/b.csv").write_text("two")  # as long as before
    assert copied() == ["inbox/more/b.csv"]
    fsspec.filesystem("s3").pipe_file("deployed/inbox/more/b.csv", b"uploaded")
    assert fill() == 0
    assert "more/b.csv: left alone, the store has one" in capsys.readouterr().out
    assert fsspec.filesystem("s3").cat_file("deployed/inbox/more/b.csv") == b"uploaded"
    assert [source.path for source in place.load().sources] == [f"s3://deployed/inbox/{workbook.name}"]
    assert place.facts() == [(1, "10.0000", LOAD)]
    with monkeypatch.context() as patch:
        patch.setattr("factload_deployment.store.sha256_of", _may_not_be_read)
        assert fill() == 3
    assert "may not be read" in capsys.readouterr().err
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(store_errors, "PATIENCE_SECONDS", 0.5)
    file_system.cache_clear()
    assert fill() == 4
    assert "the store of s3://deployed failed" in capsys.readouterr().err


def _may_not_be_read(path: Path) -> str:
    """Root may read everything: what happens to anybody else."""
    raise PermissionError(13, "Permission denied", str(path))
