"""A line to PostgreSQL that breaks at a COMMIT: its request is lost, or the answer to it; or it falls silent there."""

from __future__ import annotations

import itertools
import socket
import threading
from pathlib import Path
from typing import Literal, Self

from sqlalchemy.engine import make_url

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # a simple query, as libpq sends it
_SOCKET = ".s.PGSQL.5432"


class BrokenLine:
    """Passes everything on, until the COMMIT number ``nth`` (from 0); the lines that follow are whole again."""

    def __init__(
        self, url: str, folder: Path, lost: Literal["request", "answer", "silence"], nth: int
    ) -> None:
        self.broke = False
        self._lost, self._nth, self._commits = lost, nth, itertools.count()
        self._server = Path(str(make_url(url).query["host"])) / _SOCKET
        self.url = make_url(url).set(query={"host": str(folder)}).render_as_string(hide_password=False)
        folder.mkdir()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / _SOCKET))
        self._listener.listen()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server))
            breaking = threading.Event()
            answers = threading.Thread(target=_pump, args=(server, client, breaking), daemon=True)
            answers.start()
            while sent := _received(client):
                if sent == _COMMIT and next(self._commits) == self._nth:
                    breaking.set()
                    if self._lost == "answer":
                        server.sendall(sent)
                        answers.join(10)  # it has come, and goes no further
                    self.broke = True
                    if self._lost == "silence":
                        while _received(client):  # it takes what comes, until the client gives up
                            pass
                        server.close()
                        return
                    break
                server.sendall(sent)
            _hang_up(client)
            _hang_up(server)
            answers.join(10)


def _pump(server: socket.socket, client: socket.socket, breaking: threading.Event) -> None:
    while answer := _received(server):
        if breaking.is_set():
            return
        client.sendall(answer)


def _received(line: socket.socket) -> bytes:
    try:
        return line.recv(65_536)
    except OSError:
        return b""


def _hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
