"""Machines made of this one: a network namespace each, joined to this machine by a pair of interfaces."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """One of them. ``host``: where it finds this machine; its servers listen there."""

    number: int

    @property
    def name(self) -> str:
        """Its namespace and its host name."""
        return f"factload-{self.number}"

    @property
    def host(self) -> str:
        """The address of this machine on the line to that one."""
        return f"10.199.{self.number}.1"

    @contextmanager
    def running(self) -> Iterator[None]:
        """The namespace and the line to it."""
        ends = (f"{self.name}-here", f"{self.name}-far")
        _ip("netns", "add", self.name)
        try:
            _ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
            _ip("link", "set", ends[1], "netns", self.name)
            _ip("addr", "add", f"{self.host}/24", "dev", ends[0])
            _ip("link", "set", ends[0], "up")
            for inside in (
                ("addr", "add", f"10.199.{self.number}.2/24", "dev", ends[1]),
                ("link", "set", ends[1], "up"),
                ("link", "set", "lo", "up"),
            ):
                _ip("-n", self.name, *inside)
            yield
        finally:
            _ip("netns", "delete", self.name)

    def inside(self, hidden: str, command: list[str]) -> list[str]:
        """The command on that machine, where the folder ``hidden`` is another one, and empty."""
        script = 'hostname "$0" && mount -t tmpfs none "$1" && shift && exec "$@"'
        own = ["unshare", "--uts", "--mount", "sh", "-c", script, self.name, hidden]
        return ["ip", "netns", "exec", self.name, *own, *command]

    @contextmanager
    def cut_off(self, port: int | None) -> Iterator[None]:
        """Nothing comes through to this port any more, and nobody is told; None: the line is down."""
        line = f"{self.name}-here"
        if port is None:
            _ip("link", "set", line, "down")
            try:
                yield
            finally:
                _ip("link", "set", line, "up")
            return
        rule = ["INPUT", "-i", line, "-p", "tcp", "--dport", str(port), "-j", "DROP"]
        _run("iptables", "-I", *rule)
        try:
            yield
        finally:
            _run("iptables", "-D", *rule)


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
