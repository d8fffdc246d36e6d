"""A server of the S3 protocol in a process of its own, and lines to it on which something goes wrong."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import fsspec
import pytest

from tests.line import Line, hang_up, received

_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")
_SECONDS = 60.0
_VERBS = (b"GET ", b"PUT ", b"POST ", b"DELETE ", b"HEAD ")

Fault = Literal["refused", "request cut", "answer cut", "slow", "silent", "another clock", "no condition"]

_numbers = itertools.count(1)


@dataclass(frozen=True)
class S3Server:
    """``port`` of 127.0.0.1. ``loader`` may do everything, ``reader`` only list and read."""

    port: int

    def variables(
        self, user: Literal["loader", "reader"] = "loader", port: int | None = None
    ) -> dict[str, str]:
        """The environment of whoever uses it, over a line at another port perhaps."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ACCESS_KEY_ID": user,
            "AWS_SECRET_ACCESS_KEY": f"{user}-secret",
        }

    def files(self) -> Any:
        """What is there, as somebody else sees it."""
        variables = self.variables()
        return fsspec.filesystem(
            "s3",
            key=variables["AWS_ACCESS_KEY_ID"],
            secret=variables["AWS_SECRET_ACCESS_KEY"],
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def hold_staging(self, bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
        """From here on staging lies in a place of its own in the bucket, this URL; the environment says nothing else
        of stores."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        files = self.files()
        if not files.exists(bucket):
            files.mkdir(bucket)
        url = f"s3://{bucket}/{next(_numbers)}"
        monkeypatch.setenv("FACTLOAD_STAGING", url)
        return url


def use(variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put these into the environment."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """SeaweedFS with its data in ``folder``."""
    actions = {"loader": ["Admin", "Read", "Write", "List"], "reader": ["Read", "List"]}
    identities = [
        {"name": user, "credentials": [{"accessKey": user, "secretKey": f"{user}-secret"}], "actions": may}
        for user, may in actions.items()
    ]
    config = folder / "identities.json"
    config.write_text(json.dumps({"identities": identities}))
    ports = dict(zip([*_PORTS, *(f"{name}.grpc" for name in _PORTS)], _free_ports(), strict=True))
    command = [
        *(str(Path(sys.executable).with_name("weed")), "server", f"-dir={folder}", "-ip=127.0.0.1"),
        *("-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={config}", "-master.telemetry=false"),
        *(
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=50",
            *(f"-{name}={port}" for name, port in ports.items()),
        ),
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _await(process, f"http://127.0.0.1:{ports['s3.port']}/healthz", folder / "log")
            yield S3Server(ports["s3.port"])
        finally:
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _free_ports() -> list[int]:
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2 * len(_PORTS))]
    ports: list[int] = [listener.getsockname()[1] for listener in listening]
    for listener in listening:
        listener.close()
    return ports


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), closing(urllib.request.urlopen(url, timeout=1)):  # noqa: S310 - ours
            return
        time.sleep(0.05)
    raise AssertionError(f"the S3 server did not start: {log.read_text(errors='replace')[-2000:]}")


class FaultyLine(Line):
    """Passes everything on to the server, but for the first ``times`` requests that begin with ``verb``.

    Requests that were asked are in ``asked``, each as its verb and path. ``struck``: how many met the fault.
    """

    def __init__(
        self, server: S3Server, fault: Fault | None = None, *, verb: str = "", times: int = 0
    ) -> None:
        self.asked: list[str] = []
        self.struck = 0
        self._server, self._fault, self._verb, self._left = server, fault, verb.encode(), times
        self._count = threading.Lock()
        super().__init__(socket.create_server(("127.0.0.1", 0)))
        self.port: int = self._listener.getsockname()[1]

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of whoever uses the server over this line."""
        return self._server.variables(port=self.port)

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server.port)) as server:
            cutting = threading.Event()
            threading.Thread(target=_pump, args=(server, client, cutting), daemon=True).start()
            with suppress(OSError):
                while sent := received(client):
                    if sent.startswith(_VERBS) and self._strikes(sent):
                        if self._fault == "answer cut":
                            cutting.set()
                        elif not self._injure(sent, client, server):
                            break
                    server.sendall(sent)
            hang_up(client)
            hang_up(server)

    def _strikes(self, request: bytes) -> bool:
        with self._count:
            self.asked.append(b" ".join(request.split(b" ", 2)[:2]).decode())
            struck = self._left > 0 and request.startswith(self._verb)
            self._left -= struck
            self.struck += struck
            return struck and self._fault is not None

    def _injure(self, request: bytes, client: socket.socket, server: socket.socket) -> bool:
        """Do to this request what the fault says; whether it goes on to the server all the same."""
        match self._fault:
            case "refused":
                client.sendall(refusal("503 Slow Down", "SlowDown"))
            case "no condition":
                client.sendall(refusal("501 Not Implemented", "NotImplemented"))
            case "another clock":
                client.sendall(refusal("403 Forbidden", "RequestTimeTooSkewed"))
            case "request cut":
                server.sendall(request[: len(request) // 2])
            case "silent":
                server.sendall(request[: len(request) // 2])
                while received(client):
                    pass
            case _:
                time.sleep(1.0)
                return True
        return False


def refusal(status: str, code: str) -> bytes:
    """As such a server sends it before it hangs up."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\nConnection: close"
    return f"{head}\r\n\r\n{body}".encode()


def _pump(server: socket.socket, client: socket.socket, cutting: threading.Event) -> None:
    with suppress(OSError):
        while answer := received(server):
            if cutting.is_set():
                client.sendall(answer[: len(answer) // 2])
                break
            client.sendall(answer)
    hang_up(client)
