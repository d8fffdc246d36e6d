"""A line to PostgreSQL that breaks at a COMMIT: its request is lost, or the answer to it; or it falls silent there."""

from __future__ import annotations

import itertools
import socket
import threading
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import make_url

from tests.line import Line, hang_up, received

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # a simple query, as libpq sends it
_SOCKET = ".s.PGSQL.5432"


class BrokenLine(Line):
    """Passes everything on, until the COMMIT number ``nth`` (from 0); the lines that follow are whole again."""

    def __init__(
        self, url: str, folder: Path, lost: Literal["request", "answer", "silence"], nth: int
    ) -> None:
        self.broke = False
        self._lost, self._nth, self._commits = lost, nth, itertools.count()
        self._server = Path(str(make_url(url).query["host"])) / _SOCKET
        self.url = make_url(url).set(query={"host": str(folder)}).render_as_string(hide_password=False)
        folder.mkdir()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / _SOCKET))
        listener.listen()
        super().__init__(listener)

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server))
            breaking = threading.Event()
            answers = threading.Thread(target=_pump, args=(server, client, breaking), daemon=True)
            answers.start()
            while sent := received(client):
                if sent == _COMMIT and next(self._commits) == self._nth:
                    breaking.set()
                    if self._lost == "answer":
                        server.sendall(sent)
                        answers.join(10)  # it has come, and goes no further
                    self.broke = True
                    if self._lost == "silence":
                        while received(client):  # it takes what comes, until the client gives up
                            pass
                        server.close()
                        return
                    break
                server.sendall(sent)
            hang_up(client)
            hang_up(server)
            answers.join(10)


def _pump(server: socket.socket, client: socket.socket, breaking: threading.Event) -> None:
    while answer := received(server):
        if breaking.is_set():
            return
        client.sendall(answer)
