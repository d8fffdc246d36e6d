"""A primary and its standby, and the URL that names both: streaming replication, as it is."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
        return either(self.primary.url(database), self.standby)

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

    def hand_over(self) -> None:
        """The same with nothing lost of what the primary did."""
        self.catch_up()
        self.fail_over()


def _ask(server: servers.Server, statement: str) -> str:
    engine = create_engine(server.url(), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        answer = connection.execute(text(statement))
        return str(answer.scalar()) if answer.returns_rows else ""


def either(url: str, other: servers.Server) -> str:
    """The URL of a database that ``other`` has, too: it leads to whichever of the two servers takes changes."""
    here = make_url(url)
    options = {"host": f"{here.query['host']},{other.socket_dir}", "target_session_attrs": "read-write"}
    return here.set(query=options).render_as_string(hide_password=False)


@contextmanager
def replicated(running: servers.Server) -> Iterator[Pair]:
    """The primary with a standby of its own. The primary runs again afterwards, and knows nothing of it."""
    folder = Path(tempfile.mkdtemp(prefix="factload-standby-"))
    folder.chmod(0o711)
    data = folder / "data"
    data.mkdir()
    give(data)
    command: list[str | Path] = [
        programs_for(running.data_dir) / "pg_basebackup",
        f"--host={running.socket_dir}",
        f"--username={servers.SUPERUSER}",
        f"--pgdata={data}",
        "--write-recovery-conf",
        "--checkpoint=fast",
        "--wal-method=stream",
        "--no-sync",
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, cwd=data, **identity())
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
    return servers.start(running.data_dir, settings=_SETTINGS, attached=True)
