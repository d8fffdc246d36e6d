"""A disk is full.

Real ones, of a few hundred kilobytes; they need a mount, which root alone may make. The limit on a file's size works for
everybody.
"""

from __future__ import annotations

import functools
import os
import re
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from factload.errors import TransientError
from factload.staging.store import place_of
from factload_demo.postgres import Server
from tests.chaos.faulty_process import FaultyProcess
from tests.chaos.harness import Attempt, Harness, Workbook, place, publish_old, refused
from tests.chaos.reliability import FaultRecord


def small_disk(folder: Path, kilobytes: int) -> None:
    """Mount a disk of this size on ``folder``, or skip the test."""
    folder.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk can't be mounted here: {mounted.stderr.decode().strip()}")


def unmount(folder: Path) -> None:
    subprocess.run(["/bin/umount", "-l", folder], check=False, capture_output=True)


def fill(folder: Path, leaving_kilobytes: int) -> Path:
    """Take the disk's free space but for so much; delete the file to give it back."""
    filler = folder / "filler"
    left = os.statvfs(folder)
    filler.write_bytes(bytes(left.f_bavail * left.f_frsize - leaving_kilobytes * 1024))
    return filler


@pytest.fixture
def full_staging(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The staging folder on a disk with some kilobytes left."""
    folder = harness.home / "staging"
    try:
        small_disk(folder, 4_000)
        monkeypatch.setenv("FACTLOAD_STAGING", str(folder))
        yield folder
    finally:
        unmount(folder)


@pytest.mark.parametrize(
    ("step", "kilobytes"),
    [
        pytest.param(
            step,
            kilobytes,
            id=step,
            marks=pytest.mark.fault(
                f"the staging disk is full in `{step}`", by="a disk with some kilobytes left"
            ),
        )
        for step, kilobytes in (("extract_dimension_map", 0), ("split_workbook", 40))
    ],
)
def test_the_staging_disk_is_full(
    harness: Harness, record: FaultRecord, full_staging: Path, step: str, kilobytes: int
) -> None:
    attempt = Attempt(harness).until(step)
    filler = fill(full_staging, kilobytes)
    error = refused(attempt.call(step))
    assert (error.code, error.retry) == ("staging_full", True)
    assert f"under the staging folder {place_of(attempt.load).folder} is full: 0.0 MB are free" in str(error)
    assert harness.stands() == "old"
    assert not list(full_staging.rglob("*.part"))
    filler.unlink()
    attempt.go_on(step)
    harness.proves("new")
    record.injected(seen="before", end="exact after a retry", error=error)


@pytest.mark.fault("a staging file may not become longer", by="RLIMIT_FSIZE")
def test_a_file_that_may_not_grow(harness: Harness, record: FaultRecord) -> None:
    attempt = Attempt(harness).until("split_workbook")
    with FaultyProcess(functools.partial(with_short_files, attempt.call("split_workbook"))) as process:
        error = process.end().error
    assert isinstance(error, TransientError)
    assert harness.stands() == "old"
    attempt.go_on("split_workbook")
    harness.proves("new")
    record.injected(seen="before", end="exact after a retry", error=error)


def with_short_files(call: Callable[[], Any]) -> Any:
    """Make the call in a process whose files hold no more than 10 kB."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    return call()


@pytest.fixture
def full_database(
    postgres: Server, tmp_path: Path, workbooks: dict[str, Workbook], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Harness, Path]]:
    """A warehouse on a small disk; the server, not the tests' user, writes there."""
    disk = postgres.data_dir.parent / "small disk"
    try:
        small_disk(disk, 24_000)
        owner = postgres.data_dir.stat()
        space = disk / "space"
        space.mkdir(mode=0o700)
        for folder in (disk, space):
            os.chown(folder, owner.st_uid, owner.st_gid)
        url = postgres.create_database("chaos_small")
        harness = place(tmp_path / "a project", url, workbooks, monkeypatch)
        outside = create_engine(postgres.url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with outside.connect() as connection:
            connection.exec_driver_sql(f"CREATE TABLESPACE small LOCATION '{space}'")
            connection.exec_driver_sql("ALTER DATABASE chaos_small SET TABLESPACE small")
        publish_old(harness)
        harness.put("new")
        yield harness, disk
        postgres.drop_database("chaos_small")
        with outside.connect() as connection:
            connection.exec_driver_sql("DROP TABLESPACE small")
    finally:
        unmount(disk)
        if disk.exists():
            disk.rmdir()


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            step,
            marks=pytest.mark.fault(
                f"the database's disk is full in `{step.split()[0]}`", by="a disk with nothing left"
            ),
        )
        for step in ("load_partition 1", "publish")
    ],
)
def test_the_database_s_disk_is_full(
    full_database: tuple[Harness, Path], record: FaultRecord, step: str
) -> None:
    harness, disk = full_database
    attempt = Attempt(harness).until(step)
    filler = fill(disk, 0)
    error = refused(attempt.call(step))
    assert (error.code, error.retry) == ("database_disk_full", True)
    assert re.search(r"server is full \(.*No space left.*\) while writing .*, about \d+\.\d MB", str(error))
    filler.unlink()  # first: a new session may have to write a file of its own
    assert harness.stands() == "old"
    attempt.go_on(step)
    harness.proves("new")
    record.injected(seen="before", end="exact after a retry", error=error)
