"""A line between a program and a server, on which a test can do what it likes."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class Line:
    """Whoever connects to ``listener`` while the block lasts is served as ``_serve`` says, in a thread of its own."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        hang_up(self._listener)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()


def received(line: socket.socket) -> bytes:
    """What comes next; nothing where the other side has hung up."""
    with suppress(OSError):
        return line.recv(65_536)
    return b""


def hang_up(line: socket.socket) -> None:
    """End it in both directions, whatever has become of it."""
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
