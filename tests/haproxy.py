"""A HAProxy before two servers of the tests: it leads to the one that takes changes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from factload_demo.postgres import SUPERUSER, Server
from factload_demo.postgres_programs import give, identity
from tests.chaos.faulty_process import wait_for

PROGRAM = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")
needs_haproxy = pytest.mark.skipif(
    PROGRAM is None, reason="there is no HAProxy on this machine: install the package haproxy"
)

_SECONDS = 30.0
_STARTUP = b"\0\x03\0\0user\0%b\0database\0postgres\0\0" % SUPERUSER.encode()
# A check says good-bye at once: a standby ends the session then, and the check with it, which would wait for its
# timeout otherwise, and a promotion until then.
_TERMINATE = b"X\0\0\0\x04"
_HELLO = (len(_STARTUP) + 4).to_bytes(4, "big") + _STARTUP + _TERMINATE
_TAKES_CHANGES = b"in_hot_standby\0off\0"  # a server says so by itself as a connection begins
_CONFIGURATION = f"""
defaults
    mode tcp
    timeout connect 2s
    timeout check 10s
    timeout client 30m
    timeout server 30m
listen warehouse
    bind fd@{{listening}}
    option tcp-check
    tcp-check send-binary {_HELLO.hex()}
    tcp-check expect binary {_TAKES_CHANGES.hex()}
    default-server check inter 200ms fall 3 rise 1 on-marked-down shutdown-sessions
    server first {{first}}
    server second {{second}} backup
"""


@contextmanager
def haproxy(database: str, primary: Server, standby: Server) -> Iterator[str]:
    """A URL of the database that leads through HAProxy to whichever of the two servers takes changes.

    Until it has asked them, HAProxy takes both for servers that do; so the standby is its ``backup``.
    """
    assert PROGRAM is not None
    folder = Path(tempfile.mkdtemp(prefix="factload-haproxy-"))
    first, second = (f"unix@{server.socket_dir}/.s.PGSQL.5432" for server in (primary, standby))
    # Bound here, so that nobody else gets the port before HAProxy does.
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port, listening = ours.getsockname()[1], ours.fileno()
        configuration = _CONFIGURATION.format(listening=listening, first=first, second=second)
        (folder / "haproxy.cfg").write_text(configuration)
        give(folder)
        process = subprocess.Popen(
            [PROGRAM, "-q", "-db", "-f", folder / "haproxy.cfg"],
            stderr=subprocess.DEVNULL,
            pass_fds=[listening],
            **identity(),
        )
    through = (
        make_url(primary.url(database))
        .set(host="127.0.0.1", port=port, query={})
        .render_as_string(hide_password=False)
    )
    try:
        wait_until_it_leads(through)
        yield through
    finally:
        process.terminate()
        process.wait(_SECONDS)
        shutil.rmtree(folder)


def wait_until_it_leads(url: str) -> None:
    """Wait until HAProxy knows which of the servers takes changes."""
    wait_for(lambda: _answers(url), "HAProxy to lead to a server", _SECONDS)


def _answers(url: str) -> bool:
    try:
        create_engine(url, poolclass=NullPool).connect().close()
    except OperationalError:
        return False
    return True
