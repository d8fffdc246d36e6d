"""A primary and its standby, and the URL that names both: streaming replication, as it is."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from factload_demo import postgres as servers
from factload_demo.postgres_programs import give, identity, programs_for
from tests.chaos.faulty_process import wait_for

_SETTINGS = {"fsync": "off"}


@dataclass(frozen=True)
class Pair:
    """Two servers; the second repeats what the first does, until it is promoted."""

    primary: servers.Server
    standby: servers.Server

    def url(self, database: str) -> str:
        """Leads to whichever of the two takes changes."""
        hosts = f"{self.primary.socket_dir},{self.standby.socket_dir}"
        options = {"host": hosts, "target_session_attrs": "read-write"}
        return make_url(self.primary.url(database)).set(query=options).render_as_string(hide_password=False)

    def cut_off(self) -> None:
        """The standby hears nothing more of the primary, which waits for nobody."""
        _ask(self.standby, "ALTER SYSTEM SET primary_conninfo = ''")
        _ask(self.standby, "SELECT pg_reload_conf()")
        wait_for(lambda: _ask(self.primary, "SELECT count(*) FROM pg_stat_replication") == "0", "the cut")

    def catch_up(self) -> None:
        """Wait until the standby has all that the primary did."""
        here = _ask(self.primary, "SELECT pg_current_wal_flush_lsn()")
        behind = f"SELECT pg_last_wal_replay_lsn() < '{here}'"
        wait_for(lambda: _ask(self.standby, behind) == "False", "the standby to catch up")

    def fail_over(self) -> None:
        """The primary dies at once, and the standby takes its place."""
        process = psutil.Process(self.primary.pid)
        process.kill()
        process.wait(30)
        _ask(self.standby, "SELECT pg_promote(true, 30)")


def _ask(server: servers.Server, statement: str) -> str:
    engine = create_engine(server.url(), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        answer = connection.execute(text(statement))
        return str(answer.scalar()) if answer.returns_rows else ""


@contextmanager
def primary() -> Iterator[servers.Server]:
    """A server of its own whose COMMITs are as durable as they say, but for the disk."""
    folder = Path(tempfile.mkdtemp(prefix="factload-primary-"))
    folder.chmod(0o711)
    try:
        yield servers.start(folder / "data", settings=_SETTINGS, attached=True)
    finally:
        servers.stop(folder / "data")
        shutil.rmtree(folder)


@contextmanager
def replicated(running: servers.Server) -> Iterator[Pair]:
    """The primary with a standby of its own. The primary runs again afterwards, and knows nothing of it."""
    folder = Path(tempfile.mkdtemp(prefix="factload-standby-"))
    folder.chmod(0o711)
    data = folder / "data"
    data.mkdir()
    give(data)
    programs = programs_for(running.data_dir)
    command: list[str | Path] = [
        programs / "pg_basebackup",
        "-h",
        running.socket_dir,
        "-U",
        servers.SUPERUSER,
    ]
    try:
        subprocess.run(
            [
                *command,
                "-D",
                data,
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--wal-method=stream",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd=data,
            **identity(),
        )
        for name in (".s.PGSQL.5432.lock", "server.log"):  # which lie beside the primary's data
            (data / name).unlink()
        pair = Pair(running, servers.start(data, settings=_SETTINGS, attached=True))
        pair.catch_up()
        yield pair
    finally:
        servers.stop(data)
        shutil.rmtree(folder)


def restarted(running: servers.Server) -> servers.Server:
    """The same server; started if it was killed."""
    return replace(running, pid=servers.start(running.data_dir, settings=_SETTINGS, attached=True).pid)
