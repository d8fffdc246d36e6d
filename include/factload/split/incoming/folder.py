"""A workbook that is received into its own folder: under a hidden name, until nobody else has its own."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from factload.errors import FeedError, TransientError
from factload.split.allowed import AllowedFile, opened_folder
from factload.split.incoming.place import Place
from factload.split.incoming.received import Received
from factload.staging.disk import NO_ROOM, UNFINISHED

_NOT_WRITABLE = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EOPNOTSUPP
)  # fmt: skip
_BYTES_OF_NAME = 8
_OWN = re.compile(re.escape(UNFINISHED).replace(r"\{\}", f"[0-9a-f]{{{2 * _BYTES_OF_NAME}}}"))
_KEPT_SECONDS = 86_400  # a day: an upload is given up after a silence of seconds


@contextmanager
def received_in_folder(place: Place, file: AllowedFile, most: int) -> Iterator[Received]:
    """A workbook of at most so many bytes, to be put at ``place``; what isn't put there leaves nothing.

    Raises ``FeedError`` ``upload_unwritable``, ``TransientError`` ``staging_full``.
    """
    hidden = UNFINISHED.format(secrets.token_hex(_BYTES_OF_NAME))
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with _writing(place), opened_folder(file, to_write=True) as folder:
        _sweep(folder)
        part = os.open(hidden, flags, 0o666, dir_fd=folder)
        try:
            yield _InFolder(place, part, most, folder, hidden, file.name)
        finally:
            os.close(part)
            with suppress(FileNotFoundError):  # it has its place
                os.unlink(hidden, dir_fd=folder)


def _sweep(folder: int) -> None:
    """Remove what uploads have left here whose web server was killed; files that others call hidden stay."""
    yesterday = time.time() - _KEPT_SECONDS
    for name in os.listdir(folder):
        if _OWN.fullmatch(name):
            with suppress(OSError):  # another upload sweeps too; or it may not be removed
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISREG(found.st_mode) and found.st_mtime < yesterday:
                    os.unlink(name, dir_fd=folder)


class _InFolder(Received):
    def __init__(self, place: Place, part: int, most: int, folder: int, hidden: str, name: str) -> None:
        super().__init__(place, part, most)
        self._folder, self._hidden, self._name = folder, hidden, name

    def _take_place(self, over: str) -> None:
        fcntl.flock(self._folder, fcntl.LOCK_EX)  # of two that come together one is first
        super()._take_place(over)
        os.fsync(self._folder)

    def _create(self) -> bool:
        try:
            os.link(self._hidden, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except FileExistsError:
            return False
        return True

    def _replace(self) -> None:
        os.replace(self._hidden, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)


@contextmanager
def _writing(place: Place) -> Iterator[None]:
    """What may be wrong with a folder, by what to do next."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise TransientError(
                "staging_full", f"there is no room for {place.path}", remedy="Make some"
            ) from error
        if error.errno not in _NOT_WRITABLE:
            raise
        raise FeedError(
            "upload_unwritable",
            f"Airflow's web server can't put a file at {place.path} ({error.strerror})",
            expected="the folder of the feed's workbooks, and the right to write there",
            remedy="Grant it to the user that runs the web server, or put the workbook there by other means",
        ) from error
