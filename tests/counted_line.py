"""A line to PostgreSQL that counts the bytes it passes on."""

from __future__ import annotations

import socket
import socketserver
import threading
from pathlib import Path
from typing import Any, Self

from sqlalchemy.engine import make_url

_SOCKET = ".s.PGSQL.5432"
_AT_ONCE = 1 << 16


class CountedLine:
    """Use ``url`` instead of the server's own. ``sent``: bytes to the server so far, ``received``: those from it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.sent = self.received = 0
        self._server = Path(str(make_url(url).query["host"])) / _SOCKET
        self._lock = threading.Lock()
        self.url = make_url(url).set(query={"host": str(folder)}).render_as_string(hide_password=False)
        folder.mkdir()
        self._listener = socketserver.ThreadingUnixStreamServer(str(folder / _SOCKET), self._serve)  # type: ignore[arg-type]
        self._listener.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    def _serve(self, client: socket.socket, *_: Any) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server))
            answers = threading.Thread(target=self._pump, args=(server, client, "received"), daemon=True)
            answers.start()
            self._pump(client, server, "sent")
            answers.join()

    def _pump(self, source: socket.socket, target: socket.socket, counter: str) -> None:
        while data := source.recv(_AT_ONCE):
            with self._lock:
                setattr(self, counter, getattr(self, counter) + len(data))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
