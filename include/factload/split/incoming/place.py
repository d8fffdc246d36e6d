"""Where a workbook that is uploaded is put, and what is there already."""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from factload.errors import FeedError, WorkbookError
from factload.feed.model import Feed
from factload.settings import STORES, is_url
from factload.split.allowed import AllowedFile, allowed_file, require_allowed_url, require_printable
from factload.split.remote import fetch, is_there, modified
from factload.split.sources import may_be_read, placed

CORRECTED = ".corrected"  # hidden: no pattern of a feed means the workbooks in it
_LONGEST_NAME = 200  # bytes, of the 255 that file systems take


@dataclass(frozen=True, slots=True)
class Place:
    """Where a workbook is put: ``path`` as loads call it; ``file`` below an allowed root, None in a store."""

    path: str
    file: AllowedFile | None

    @property
    def name(self) -> str:
        """Its own name, without folders."""
        return self.path.rpartition("/")[2]


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
    folder, wanted = _wanted(feed, period)
    if not glob.has_magic(wanted):
        return _place(folder, wanted)
    plain = plain_name(name)
    if not fnmatchcase(plain, wanted):
        raise WorkbookError(
            "workbook_name",
            f"{feed.feed} takes no workbook called {plain}",
            expected=f"a name like {wanted}",
            remedy="Rename it",
        )
    return _place(folder, plain)


def place_of_corrected(feed: Feed, period: date, name: str) -> Place:
    """Where a corrected rejects workbook is put: beside the feed's own, in a hidden folder, under a name of its own.

    Raises as :func:`place_of` does.
    """
    ending = PurePosixPath(plain_name(name)).suffix.lower()
    own = f"{feed.load_id(period)}-{secrets.token_hex(6)}{ending}"
    folder, _ = _wanted(feed, period)
    return _place(f"{folder}/{CORRECTED}", own)


def plain_name(name: str) -> str:
    """The last part of a name as a browser sends it; raises ``WorkbookError`` for one that no workbook may have."""
    plain = require_printable(name.replace("\\", "/").rpartition("/")[2].strip())
    unfit = glob.has_magic(plain) or len(os.fsencode(plain)) > _LONGEST_NAME
    if not plain or unfit or not may_be_read(PurePosixPath(plain)):
        raise WorkbookError(
            "workbook_name",
            "the workbook's name can't be used",
            expected=f"at most {_LONGEST_NAME} bytes without *, ? and [, not hidden, with a workbook's ending",
            remedy="Rename it",
        )
    return plain


def there_at(place: Place) -> There | None:
    """The file that has the place; None where there is none. Raises ``WorkbookError`` for what is no file."""
    if place.file is None:
        if not is_there(place.path):
            return None
        changed = modified(place.path)
        return There(*fetch(place.path), changed)
    try:
        with place.file.open() as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            found = os.fstat(file.fileno())
    except WorkbookError as error:
        if error.code == "workbook_missing":
            return None
        raise
    return There(digest, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def taken(place: Place) -> WorkbookError:
    """The refusal to replace a file that nobody said is to be replaced."""
    return WorkbookError(
        "workbook_there",
        f"there is another workbook at {place.path}",
        expected="to be told that it is to be replaced",
        remedy="Look at which one is there, and decide anew",
    )


def _wanted(feed: Feed, period: date) -> tuple[str, str]:
    """The folder of the period's workbook, which can be written to, and its name there, or the pattern of names."""
    path = placed(feed.workbook.for_period(period))
    if is_url(path) and path.partition("://")[0] not in STORES:
        raise FeedError(
            "upload_unfit",
            f"the workbooks of {feed.feed} lie at {path}, where nothing can be put",
            expected="a folder, or a place in a store: " + ", ".join(f"{store}://" for store in STORES),
            remedy="Put the workbook there by other means",
        )
    folder, _, name = path.rpartition("/")
    if glob.has_magic(folder):
        raise FeedError(
            "upload_unfit",
            f"the workbooks of {feed.feed} may lie in several folders, {path}",
            expected="a pattern of names in one folder",
            remedy="Put the workbook into its folder by hand",
        )
    return folder, name


def _place(folder: str, name: str) -> Place:
    path = require_printable(f"{folder}/{name}" if folder else name)
    if is_url(path):
        return Place(require_allowed_url(path), None)
    return Place(path, allowed_file(path))
