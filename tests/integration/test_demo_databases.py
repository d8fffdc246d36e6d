"""The embedded PostgreSQL starts where it has to, ends when it has to; the dimension is made once."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from factload_demo import postgres, sample
from factload_demo.errors import PostgresError


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's own user may enter, which pytest's temporary folders aren't."""
    with tempfile.TemporaryDirectory(prefix="factload demo ") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def scalar(url: str, statement: str) -> object:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return connection.scalar(text(statement))


@pytest.mark.parametrize("name", ["data", "with a space", "long-" * 24], ids=["plain", "space", "long"])
def test_a_data_folder_by_any_name(folder: Path, name: str) -> None:
    with postgres.running(folder / name) as server:
        url = server.create_database("some data")
        assert server.create_database("some data") == url
        assert scalar(url, "SELECT current_database()") == "some data"
        assert scalar(url, "SELECT inet_server_addr() IS NULL")
    assert postgres.find(folder / name) is None


def test_data_outlives_the_server_and_a_running_one_is_shared(folder: Path) -> None:
    with postgres.running(folder / "data") as server:
        url = server.create_database("kept")
        with postgres.running(folder / "data") as same:
            assert same.pid == server.pid
            assert not same.started_here
        assert postgres.find(folder / "data"), "whoever did not start it does not stop it"
    with postgres.running(folder / "data"):
        assert scalar(url, "SELECT current_database()") == "kept"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda n: n.name)
def test_the_server_ends_with_whoever_holds_it(folder: Path, number: signal.Signals) -> None:
    if number == signal.SIGKILL and not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells a child of its parent's death")
    program = f"""
import time
from pathlib import Path
from factload_demo import postgres, processes
with processes.one_interruption(), postgres.running(Path({str(folder / "data")!r})) as server:
    print(server.pid, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as holder:
        assert holder.stdout
        pid = int(holder.stdout.readline())
        assert psutil.pid_exists(pid)
        holder.send_signal(number)
        holder.wait(30)

    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(PostgresError, match=r"(?s)ended as it started.*unrecognized configuration parameter"):
        postgres.start(folder / "data", settings={"no_such_setting": "1"}, attached=True)
    assert postgres.find(folder / "data") is None


def test_the_dimension_is_made_once_and_grows(database: str) -> None:
    sample.make_dimension(database, 1_000)
    keys = "SELECT md5(string_agg(business_key || primary_synthetic_key, ',' ORDER BY business_key)) FROM dim_product"
    before = scalar(database, keys)
    sample.make_dimension(database, 1_000)
    assert scalar(database, keys) == before
    sample.make_dimension(database, 1_200)
    assert scalar(database, "SELECT count(*) FROM dim_product") == 1_200
    assert (
        scalar(database, "SELECT primary_synthetic_key FROM dim_product WHERE business_key = 'P0000007'") != 8
    )
