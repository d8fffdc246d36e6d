"""A workbook that comes in by upload: where it may be put, and how it gets there whole or not at all.

It is received under a hidden name in its own folder, looked at there, and given its name at once. A file that has the
name already is replaced only by whoever says which one it is.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Self

from factload.errors import FeedError, TransientError, WorkbookError
from factload.feed.model import Feed
from factload.load import SourceFile
from factload.settings import is_url
from factload.sheet.file_kind import Contents, is_named_csv
from factload.sheet.limits import Limits
from factload.sheet.source import format_of
from factload.sheet.workbook_file import WorkbookFile
from factload.sheet.xlsx.package import open_package
from factload.split.allowed import AllowedFile, allowed_file, opened_folder, require_printable
from factload.split.sources import may_be_read, placed
from factload.staging.disk import NO_ROOM

CORRECTED = ".corrected"  # hidden: no pattern of a feed means the workbooks in it
_LONGEST_NAME = 200  # bytes, of the 255 that file systems take


@dataclass(frozen=True, slots=True)
class Place:
    """Where a workbook of a period is put: ``path`` as the project calls it, ``file`` below an allowed root."""

    path: str
    file: AllowedFile


@dataclass(frozen=True, slots=True)
class There:
    """The file that has the place already."""

    sha256: str
    bytes: int
    changed: datetime


def place_of(feed: Feed, period: date, name: str) -> Place:
    """Where the feed looks for the workbook of a period. ``name``: the sender's own, which a pattern of the feed takes.

    Raises ``WorkbookError``: ``workbook_name`` for a name that no file may have or the pattern doesn't mean,
    ``workbook_not_allowed`` outside the allowed roots; ``FeedError`` ``upload_unfit`` for a feed without one folder.
    """
    wanted = _wanted(feed, period)
    if not glob.has_magic(wanted.name):
        return _place(str(wanted))
    plain = plain_name(name)
    if not fnmatchcase(plain, wanted.name):
        raise WorkbookError(
            "workbook_name",
            f"{feed.feed} takes no workbook called {plain}",
            expected=f"a name like {wanted.name}",
            remedy="Rename it",
        )
    return _place(str(wanted.parent / plain))


def place_of_corrected(feed: Feed, period: date, name: str) -> Place:
    """Where a corrected rejects workbook is put: beside the feed's own, in a hidden folder, under a name of its own.

    Raises as :func:`place_of` does.
    """
    ending = PurePosixPath(plain_name(name)).suffix.lower()
    own = f"{feed.load_id(period)}-{secrets.token_hex(6)}{ending}"
    return _place(str(_wanted(feed, period).parent / CORRECTED / own))


def _wanted(feed: Feed, period: date) -> PurePosixPath:
    """The path of the period's workbook, or its pattern, in a folder that can be written to."""
    path = placed(feed.workbook.for_period(period))
    if is_url(path):
        raise FeedError(
            "upload_unfit",
            f"the workbooks of {feed.feed} lie in a store, at {path}",
            expected="a folder that Airflow's web server may write to",
            remedy="Put the workbook there by the store's own means",
        )
    wanted = PurePosixPath(path)
    if glob.has_magic(str(wanted.parent)):
        raise FeedError(
            "upload_unfit",
            f"the workbooks of {feed.feed} may lie in several folders, {path}",
            expected="a pattern of names in one folder",
            remedy="Put the workbook into its folder by hand",
        )
    return wanted


def plain_name(name: str) -> str:
    """The last part of a name as a browser sends it; raises ``WorkbookError`` for one that no workbook may have."""
    plain = require_printable(name.replace("\\", "/").rpartition("/")[2].strip())
    if (
        not plain
        or glob.has_magic(plain)
        or len(os.fsencode(plain)) > _LONGEST_NAME
        or not may_be_read(PurePosixPath(plain))
    ):
        raise WorkbookError(
            "workbook_name",
            "the workbook's name can't be used",
            expected=f"at most {_LONGEST_NAME} bytes without *, ? and [, not hidden, with a workbook's ending",
            remedy="Rename it",
        )
    return plain


def there_at(place: Place) -> There | None:
    """The file that has the place; None where there is none. Raises ``WorkbookError`` for what is no file."""
    try:
        with place.file.open() as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            found = os.fstat(file.fileno())
    except WorkbookError as error:
        if error.code == "workbook_missing":
            return None
        raise
    return There(digest, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


class Incoming:
    """A workbook that is being received. ``size``: the bytes so far."""

    def __init__(self, place: Place, folder: int, most: int) -> None:
        self._place, self._folder, self._most = place, folder, most
        self._name = f".{secrets.token_hex(8)}.part"
        self._digest = hashlib.sha256()
        self.size = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(self._name, flags, 0o666, dir_fd=folder)

    @classmethod
    @contextmanager
    def at(cls, place: Place, most: int) -> Iterator[Self]:
        """A workbook of at most so many bytes, to be put at ``place``; what isn't put there leaves nothing.

        Raises ``FeedError`` ``upload_unwritable``, ``TransientError`` ``staging_full``.
        """
        with _writing(place), opened_folder(place.file, to_write=True) as folder:
            incoming = cls(place, folder, most)
            try:
                yield incoming
            finally:
                os.close(incoming._file)
                with suppress(FileNotFoundError):  # it has its place
                    os.unlink(incoming._name, dir_fd=folder)

    def write(self, data: bytes) -> None:
        """The next bytes. Raises ``WorkbookError`` ``workbook_too_long``."""
        self.size += len(data)
        if self.size > self._most:
            raise too_long(self._most)
        self._digest.update(data)
        with _writing(self._place):
            while data:
                data = data[os.write(self._file, data) :]

    def put(self, feed: Feed, over: str = "") -> SourceFile:
        """Give it its name. ``over``: the SHA-256 of the file that it replaces.

        Raises ``WorkbookError``: what its bytes are no workbook for; ``workbook_there`` when a file has the name that
        ``over`` doesn't say.
        """
        name = self._place.file.name
        _require_workbook(WorkbookFile(name, self._file, self.size), feed)
        with _writing(self._place):
            os.fsync(self._file)
            fcntl.flock(self._folder, fcntl.LOCK_EX)  # of two that come together one is first
            there = there_at(self._place)
            if there is None:
                self._link(name)
            elif there.sha256 == over:
                os.replace(self._name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            else:
                raise _taken(self._place)
            os.fsync(self._folder)
        return SourceFile(self._place.path, self._digest.hexdigest(), self.size)

    def _link(self, name: str) -> None:
        """Take the name, unless somebody else has taken it meanwhile."""
        try:
            os.link(self._name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except FileExistsError:
            raise _taken(self._place) from None


def _require_workbook(file: WorkbookFile, feed: Feed) -> None:
    """Raise ``WorkbookError`` for a file whose bytes are of no kind that is read."""
    limits = Limits.from_environment()
    may_be_csv = feed.workbook.csv is not None or is_named_csv(file.name)
    if format_of(Contents(file, may_be_csv=may_be_csv, max_members=limits.members)).name == "xlsx":
        with open_package(file, limits):  # any zip archive is taken for one until it is opened
            pass


def too_long(most: int) -> WorkbookError:
    """The refusal of more bytes than may come."""
    return WorkbookError(
        "workbook_too_long",
        "the workbook is too long to be uploaded",
        expected=f"at most {most:,} bytes",
        remedy="Put it into its folder by hand, or raise the setting FACTLOAD_UPLOAD_BYTES",
    )


def _place(path: str) -> Place:
    require_printable(path)
    return Place(path, allowed_file(path))


def _taken(place: Place) -> WorkbookError:
    return WorkbookError(
        "workbook_there",
        f"there is another workbook at {place.path}",
        expected="to be told that it is to be replaced",
        remedy="Look at which one is there, and decide anew",
    )


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
        if error.errno in (
            errno.EACCES,
            errno.EPERM,
            errno.EROFS,
            errno.ENOENT,
            errno.ENOTDIR,
            errno.EOPNOTSUPP,
        ):
            raise FeedError(
                "upload_unwritable",
                f"Airflow's web server can't put a file at {place.path} ({error.strerror})",
                expected="the folder of the feed's workbooks, and the right to write there",
                remedy="Grant it to the user that runs the web server, or put the workbook there by other means",
            ) from error
        raise
