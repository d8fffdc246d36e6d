"""A PgBouncer before a server of the tests, and how many clients it had at once."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy.engine import make_url

from factload_demo.postgres_programs import give, identity
from tests.chaos.faulty_process import wait_for

PROGRAM = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
needs_pgbouncer = pytest.mark.skipif(
    PROGRAM is None, reason="there is no PgBouncer on this machine: install the package pgbouncer"
)

Mode = Literal["session", "transaction", "statement"]
_PORT = 5432
_SECONDS = 10.0


@dataclass(frozen=True)
class Pooler:
    """One that runs: ``url`` leads through it to the database that the test named."""

    url: str
    log: Path

    @property
    def clients_at_once(self) -> int:
        """The most clients that were connected at any moment, our own first question left out."""
        events = re.findall(r"LOG C-\S+ \S+ (login attempt|closing because)", self.log.read_text())
        return max(accumulate(1 if event == "login attempt" else -1 for event in events))


@contextmanager
def pooler(url: str, mode: Mode, **settings: object) -> Iterator[Pooler]:
    """A PgBouncer in this mode before the database at ``url``, whose server listens on a unix socket.

    ``settings``: of its section ``[pgbouncer]``, over what is usual here.
    """
    assert PROGRAM is not None
    database = make_url(url)
    folder = Path(tempfile.mkdtemp(prefix="factload-pooler-"))
    (folder / "users").write_text('"postgres" ""\n')
    options = {
        "listen_addr": "",
        "listen_port": _PORT,
        "unix_socket_dir": folder,
        "auth_type": "trust",
        "auth_file": folder / "users",
        "logfile": folder / "log",
        "pool_mode": mode,
        **settings,
    }
    lines = [
        "[databases]",
        f"{database.database} = host={database.query['host']}",
        "[pgbouncer]",
        *(f"{name} = {value}" for name, value in options.items()),
    ]
    (folder / "pgbouncer.ini").write_text("\n".join(lines))
    give(folder)
    process = subprocess.Popen(
        [PROGRAM, "--quiet", folder / "pgbouncer.ini"], stderr=subprocess.DEVNULL, **identity()
    )
    through = database.set(query={"host": str(folder)}).render_as_string(hide_password=False)
    try:
        listens = folder / f".s.PGSQL.{_PORT}"
        wait_for(listens.exists, "PgBouncer to listen", _SECONDS)
        yield Pooler(through, folder / "log")
    finally:
        process.terminate()
        process.wait(_SECONDS)
        shutil.rmtree(folder)
