"""What a store's errors mean. Their own words stay out of messages: they may hold what a log should not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from factload.errors import FactloadError, FeedError, TransientError
from factload.staging.disk import NO_ROOM, no_room

_R = TypeVar("_R")
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0)  # seconds between tries
PATIENCE_SECONDS = 45.0  # the last try begins within them: a store has about a minute, as a restart takes
_NO_CREDENTIALS = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "DefaultCredentialsError",
)
_REFUSED = ("ClientAuthenticationError",)  # Azure's
_CLOCK = ("RequestTimeTooSkewed", "RequestExpired")
_EXISTS = ("PreconditionFailed", "412")
_KNOWS_NO_CONDITION = ("NotImplemented", "501")
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "InvalidBucketName")


def patiently(call: Callable[[], _R], seconds: float | None = None) -> _R:
    """The result of a call to a store, which is made again when the store fails, for so many ``seconds``: as a rule
    for ``PATIENCE_SECONDS``.

    Raises what the last try raised; at once what no other try would change: nothing there, something there already,
    no right to it, a disk of this machine that is full.
    """
    deadline = time.monotonic() + (PATIENCE_SECONDS if seconds is None else seconds)
    for pause in _PAUSES:
        try:
            return call()
        except Exception as error:
            if _is_final(error) or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
    return call()


def _is_final(error: Exception) -> bool:
    return (
        isinstance(error, (FactloadError, FileNotFoundError, FileExistsError, ImportError))
        or is_forbidden(error)
        or is_there_already(error)
        or knows_no_condition(error)
        or (isinstance(error, OSError) and error.errno in NO_ROOM)
        or bool(_named(error, _NO_CREDENTIALS))
    )


def is_there_already(error: BaseException) -> bool:
    """Whether an object was not created because there is one of its name."""
    return isinstance(error, FileExistsError) or error_code(error) in _EXISTS


def is_forbidden(error: BaseException) -> bool:
    """Whether the store refuses the credentials, or what they ask for; each package says so in its own way."""
    return (
        isinstance(error, PermissionError)
        or bool(_named(error, _REFUSED))
        or getattr(error, "code", None) in (401, 403)
        or (isinstance(error, OSError) and str(error).startswith("Forbidden"))
    )


def knows_no_condition(error: BaseException) -> bool:
    """Whether an object was not created because the store can't be asked to create it once alone."""
    return error_code(error) in _KNOWS_NO_CONDITION


@contextmanager
def store_errors(url: str, local: Path) -> Iterator[None]:
    """Any error of a store, by what to do next. ``url``: the store's; ``local``: the folder whose disk may be full.

    ``FileNotFoundError`` for an object is let through; that of the bucket is ``store_missing``.
    """
    try:
        yield
    except FactloadError:
        raise
    except Exception as error:  # every store has exceptions of its own
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise no_room(local) from error
        if error_code(error) in _NO_BUCKET:
            raise missing_bucket(url) from error
        if isinstance(error, FileNotFoundError):
            raise
        raise _meaning(error, url) from error


def missing_bucket(url: str) -> FeedError:
    """The error of a bucket that isn't there."""
    return FeedError(
        "store_missing",
        f"there is no bucket for {url}",
        expected="a bucket that exists: factload makes none",
        remedy="Make it, or correct FACTLOAD_STAGING",
    )


def _meaning(error: Exception, url: str) -> FactloadError:
    code = error_code(error)
    if code in _CLOCK:
        return TransientError(
            "store_clock",
            f"the store of {url} refuses requests as late or early: this machine's clock and its own differ",
            expected="clocks that differ by some minutes at most",
            remedy="Let both follow NTP",
        )
    if named := _named(error, _NO_CREDENTIALS):
        return FeedError(
            "store_forbidden",
            f"no credentials for the store of {url} were found ({named})",
            expected="the store's own variables, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a role of the "
            "machine, or a connection in FACTLOAD_STAGING_CONNECTION",
            remedy="Set them for all workers",
        )
    if is_forbidden(error):
        return FeedError(
            "store_forbidden",
            f"the store of {url} refuses these credentials, or what they ask for ({code or 'no right'})",
            expected="the rights to list, to read, to write and to delete below that place",
            remedy="Correct the credentials, or give them the rights; `factload doctor` says which one is missing",
        )
    return TransientError(
        "store_unreachable",
        f"the store of {url} failed, also when it was asked again ({code or type(error).__name__})",
        remedy="Look at the store, its address (AWS_ENDPOINT_URL for S3) and the network; then run the load again",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__


def error_code(error: BaseException) -> str:
    """The store's own code for the error, such as ``AccessDenied``; "" where it has none."""
    for at in _chain(error):
        answer = getattr(at, "response", None)
        if isinstance(answer, dict):
            return str(answer.get("Error", {}).get("Code", ""))
        if code := getattr(at, "error_code", None):
            return str(getattr(code, "value", code))
    return ""


def _named(error: BaseException, names: tuple[str, ...]) -> str:
    return next((type(at).__name__ for at in _chain(error) if type(at).__name__ in names), "")
