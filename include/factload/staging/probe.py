"""Whether a store takes, gives, lists and deletes objects, tried with one of a few bytes; for ``factload doctor``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from factload.errors import FeedError
from factload.settings import settings
from factload.staging.objects import file_system, last_change
from factload.staging.store_errors import (
    error_code,
    is_forbidden,
    is_there_already,
    missing_bucket,
    patiently,
    store_errors,
)

_R = TypeVar("_R")
_BYTES = b"factload doctor"
_NO_RIGHT = ("", "AccessDenied", "403", "Forbidden")


@dataclass(frozen=True, slots=True)
class Probe:
    """``creates_once``: the store refused to create the object again. ``written``: when it was, by the store's clock,
    perhaps in whole seconds; between ``before`` and ``after`` by this machine's. All aware."""

    creates_once: bool
    before: datetime
    written: datetime
    after: datetime


def probe_store(url: str, connection: str) -> Probe:
    """Write, read, list and delete an object of the store. Raises ``FeedError`` with the right that is missing, and
    whatever else a store raises for loads."""
    with store_errors(url, settings().local):
        files, path = file_system(url, connection)
        name = f"{path}/factload-doctor-{uuid4().hex}"
        before = datetime.now(UTC)
        try:
            _may("write", url, partial(files.pipe_file, name, _BYTES))
        except FileNotFoundError as error:
            raise missing_bucket(url) from error
        after = datetime.now(UTC)
        try:
            read = _may("read", url, partial(files.cat_file, name))
            listed = _may("list", url, partial(files.ls, path, detail=True))
            creates_once = _creates_once(files, name)
        except Exception:
            with suppress(Exception):  # what went wrong first is what is told
                files.rm_file(name)
            raise
        _may("delete", url, partial(files.rm_file, name))
    seconds = next((last_change(found) for found in listed if found["name"] == name), None)
    if read != _BYTES or seconds is None:
        raise FeedError(
            "store_unfit",
            f"the store of {url} does not give back, or does not list, what was just written",
            expected="a store that is consistent at once, as S3, Google Cloud Storage and Azure are",
            remedy="Use such a store",
        )
    return Probe(creates_once, before, datetime.fromtimestamp(seconds, UTC), after)


def _may(right: str, url: str, call: Callable[[], _R]) -> _R:
    try:
        return patiently(call)
    except Exception as error:
        if not is_forbidden(error) or error_code(error) not in _NO_RIGHT:
            raise
        raise FeedError(
            "store_forbidden",
            f"the store of {url} does not let these credentials {right} objects",
            expected="the rights to write, read, list and delete objects below that place",
            remedy="Give them to the user or role",
        ) from error


def _creates_once(files: Any, name: str) -> bool:
    try:
        files.pipe_file(name, _BYTES, mode="create")
    except Exception as error:
        if is_there_already(error):
            return True
        if isinstance(error, OSError):
            return False
        raise
    return False
