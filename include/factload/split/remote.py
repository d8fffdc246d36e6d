"""Workbooks that have a URL: found by fsspec, in whatever it reaches, and copied once into this machine's folder
of staging (``staging.copies``).

A copy lies there under the SHA-256 of its bytes. So every worker reads what the load was opened with, whatever becomes
of the object meanwhile; a worker without a copy fetches it again, and refuses it when it is another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from glob import has_magic
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from factload.checksum import sha256_of
from factload.errors import FactloadError, FeedError, TransientError, WorkbookError
from factload.settings import settings
from factload.sheet.file_errors import hostile
from factload.sheet.limits import Limits
from factload.split.allowed import changed, missing
from factload.staging.copies import find_copy, keep_copy, new_copy
from factload.staging.disk import NO_ROOM, no_room
from factload.staging.store_errors import is_there_already, knows_no_condition, patiently


def find_urls(url: str) -> list[str]:
    """The URL itself if a file is there, else all files that match it as a pattern; none when there are none.

    Raises ``FeedError`` ``protocol_unknown``, ``WorkbookError`` ``workbook_forbidden``, ``TransientError``
    ``store_unreachable``.
    """
    with _faults(url):
        files, path = _opened(url)
        with _without_a_file():
            if files.info(path)["type"] == "file":
                return [url]
        if not has_magic(url):
            return []
        above = fixed_part(url)
        start = _opened(above)[1].rstrip("/")
        return [
            above + name.removeprefix(start)
            for name, found in files.glob(path, detail=True).items()
            if found["type"] == "file"
        ]


def is_there(url: str) -> bool:
    """Whether the store has a file or folder of this URL. Raises as :func:`find_urls` does."""
    with _faults(url):
        files, path = _opened(url)
        with _without_a_file():
            files.info(path)
            return True
        return False


def modified(url: str) -> datetime:
    """When the file was written last. Raises as :func:`find_urls` does."""
    with _faults(url):
        files, path = _opened(url)
        found: datetime = files.modified(path)
        return found


def create(made: Path, url: str) -> bool:
    """Put the file into its store as a new object; False where there is one of its name.

    A store that can't be asked to create an object once alone is looked into before. Raises as :func:`overwrite` does.
    """
    with _faults(url, "write"):
        files, path = _opened(url)
        try:
            patiently(partial(files.put_file, str(made), path, mode="create"))
        except Exception as error:
            if is_there_already(error):
                return False
            if not knows_no_condition(error):
                raise
            if files.exists(path):
                return False
            patiently(partial(files.put_file, str(made), path))
    return True


def overwrite(made: Path, url: str) -> None:
    """Put the file into its store, over the object that is there.

    Raises ``WorkbookError`` ``workbook_forbidden``, ``TransientError`` ``store_unreachable``.
    """
    with _faults(url, "write"):
        files, path = _opened(url)
        patiently(partial(files.put_file, str(made), path))


def fixed_part(url: str) -> str:
    """A pattern up to the first part that is one, without the slash."""
    return "/".join(takewhile(lambda part: not has_magic(part), url.split("/")))


def stamp_of(url: str) -> str:
    """Something that changes when the file does."""
    with _faults(url):
        files, path = _opened(url)
        return str(files.ukey(path))


def fetch(url: str) -> tuple[str, int]:
    """Copy the file to this machine; its SHA-256 and its size in bytes.

    Raises ``WorkbookError`` ``workbook_missing``, ``workbook_changed``, ``workbook_forbidden``,
    ``workbook_redirected``, ``workbook_hostile``; ``TransientError`` ``store_unreachable``, ``staging_full``.
    """
    with new_copy() as part:
        with _faults(url):
            files, path = _opened(url)
            before = files.ukey(path)
            files.get_file(path, str(part), callback=_no_longer_than(Limits.from_environment().file_bytes))
            files.invalidate_cache()
            if files.ukey(path) != before:
                raise changed(url)
        sha256, size = sha256_of(part), part.stat().st_size
        keep_copy(part, sha256, _name(url))
        return sha256, size


def copy_of(url: str, sha256: str) -> Path:
    """Where the copy of these bytes lies, fetched again if it must be.

    Raises what ``fetch`` raises, and ``workbook_changed`` when other bytes have come.
    """
    place = find_copy(sha256, _name(url))
    if place is None and fetch(url)[0] == sha256:
        place = find_copy(sha256, _name(url))
    if place is None:
        raise changed(url)
    return place


def _name(url: str) -> str:
    return PurePosixPath(url).name


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, its listings read anew, and the path in it."""
    from fsspec.core import url_to_fs

    try:
        files, path = url_to_fs(url, **(_NO_REDIRECTS if url.startswith(_WEB) else {}))
    except (ImportError, ValueError) as error:
        raise FeedError(
            "protocol_unknown",
            f"workbook {url} can't be reached from here ({error})",
            expected="a protocol that fsspec knows, with its package installed: s3fs for s3://, gcsfs for gs://",
        ) from error
    files.invalidate_cache()
    return files, path


class _Redirected(Exception):
    """The server names another address."""


async def _refuse_a_redirect(response: Any) -> None:
    if 300 <= response.status < 400:
        raise _Redirected


async def _client(**options: Any) -> Any:
    """A session that goes to no address but the one it is asked for: another may lie anywhere, in this network too."""
    import aiohttp

    return aiohttp.ClientSession(raise_for_status=_refuse_a_redirect, **options)


_WEB = ("http://", "https://")
_NO_REDIRECTS = {"allow_redirects": False, "get_client": _client}


def _redirected(url: str) -> WorkbookError:
    return WorkbookError(
        "workbook_redirected",
        f"the server of {url} names another address for it",
        expected="the workbook itself, below an allowed root",
        remedy="Use the address where it really is, below an allowed root",
    )


def _no_longer_than(limit: int) -> Any:
    """What is told of every piece of a copy; raises WorkbookError for one piece too many."""
    from fsspec.callbacks import Callback

    class _Copied(Callback):  # type: ignore[misc]
        def call(self, *_: object, **__: object) -> None:
            if max(self.value, self.size or 0) > limit:
                raise hostile(
                    "The workbook is longer than the limit", f"at most {limit:,} bytes", "file_bytes"
                )

        def set_size(self, size: int | None) -> None:
            self.size = size
            self.call()

    return _Copied()


@contextmanager
def _without_a_file() -> Iterator[None]:
    """No file is no fault. (``isfile()`` takes a store that is down for one without the file.)"""
    try:
        yield
    except FileNotFoundError as error:
        if isinstance(error.__cause__, _Redirected):
            raise


@contextmanager
def _faults(url: str, right: Literal["read", "write"] = "read") -> Iterator[None]:
    """What any file system raises, by what to do next. Its words stay out: they may hold what a log should not."""
    try:
        yield
    except FactloadError:
        raise
    except FileNotFoundError as error:
        if isinstance(error.__cause__, _Redirected):
            raise _redirected(url) from error
        raise missing(f"there is no workbook {url}") from error
    except _Redirected as error:
        raise _redirected(url) from error
    except PermissionError as error:
        raise WorkbookError(
            "workbook_forbidden",
            f"the store does not let this user {right} {url}",
            expected=f"the rights to list and to {right} below the allowed root",
            remedy="Give them to the user or role that the environment's credentials name",
        ) from error
    except Exception as error:  # every store has exceptions of its own
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise no_room(settings().local) from error
        raise TransientError(
            "store_unreachable",
            f"the store of {url} answered with an error ({type(error).__name__})",
            remedy="Look at its address and credentials in the environment, and at the network",
        ) from error
