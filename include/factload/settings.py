"""What the place of work decides, not the feed: folders, allowed roots, waits, connections; read anew at each call.

``environment`` has the table of what may be set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from factload.environment import VERIFY_SCHEDULE, cron, number, text, wrong_numbers
from factload.errors import FeedError

_CONNECTIONS = "FACTLOAD_CONN_"
_PASSWORD = re.compile(r"[^:/]+://[^/@]*:[^/@]*@")
# As SQLAlchemy parts a URL: a password ends at the next @. libpq also takes it as a parameter.
_DATABASE_PASSWORD = re.compile(r"[^:/]+://[^:/@]*:[^@]+@|.*[?&](?:ssl)?password=", re.IGNORECASE)
_LOCAL_FILES = ("file://", "local://")
STORES = {"s3": "s3fs", "gs": "gcsfs", "abfs": "adlfs"}  # staging in these, by their packages
_STORE_URL = re.compile(rf"({'|'.join(STORES)})://[\w.@-]+(/[\w.=@+-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """Folders as absolute paths, URLs without a slash at the end, timeouts in seconds, ``staging_days`` in days.

    ``workbooks``: the URL where relative paths of workbooks start, "" for ``home``. ``staging``: a folder, or a URL in
    an object store; ``local``: the folder of this machine's own files, which is the same one as long as staging is a
    folder.
    """

    home: Path
    workbooks: str
    feeds: Path
    staging: str
    local: Path
    allowed_roots: tuple[Path, ...]
    allowed_urls: tuple[str, ...]
    lock_timeout: int
    idle_timeout: int
    silence_timeout: int
    staging_days: int


def settings() -> Settings:
    """The settings of this process, read anew from the environment at each call."""
    home = Path(text("FACTLOAD_HOME") or _project_folder()).absolute()
    roots = _named_roots()
    staging = _staging(home)
    return Settings(
        home=home,
        workbooks=_workbooks(),
        feeds=home / text("FACTLOAD_FEEDS"),
        staging=staging,
        local=home / text("FACTLOAD_CACHE") if is_url(staging) else Path(staging),
        allowed_roots=tuple(home / root for root in roots if not is_url(root)),
        allowed_urls=tuple(_checked_url("FACTLOAD_ALLOWED_ROOTS", root) for root in roots if is_url(root)),
        lock_timeout=number("FACTLOAD_LOCK_TIMEOUT"),
        idle_timeout=number("FACTLOAD_IDLE_TIMEOUT"),
        silence_timeout=number("FACTLOAD_SILENCE_TIMEOUT"),
        staging_days=number("FACTLOAD_STAGING_DAYS"),
    )


def wrong_settings() -> list[FeedError]:
    """An error for each setting of the environment that can't be read, whoever would read it."""
    roots = filter(is_url, _named_roots())
    readings: list[Callable[[], object]] = [
        partial(_staging, Path()),
        _workbooks,
        *(partial(_checked_url, "FACTLOAD_ALLOWED_ROOTS", root) for root in roots),
        partial(cron, VERIFY_SCHEDULE),
    ]
    wrong = []
    for read in readings:
        try:
            read()
        except FeedError as error:
            wrong.append(error)
    return wrong + wrong_numbers()


def _named_roots() -> list[str]:
    return [root.strip() for root in text("FACTLOAD_ALLOWED_ROOTS").split(",") if root.strip()]


def _workbooks() -> str:
    named = text("FACTLOAD_WORKBOOKS").strip()
    if named and not is_url(named):
        raise FeedError(
            "setting_invalid",
            f"the environment's FACTLOAD_WORKBOOKS is no URL (found {named!r})",
            expected="a place in a store, such as s3://bucket; without it, paths start in the project's folder",
            remedy="Correct it in the environment of all workers, or leave it out",
        )
    return _checked_url("FACTLOAD_WORKBOOKS", named)


def _staging(home: Path) -> str:
    named = text("FACTLOAD_STAGING")
    if not is_url(named):
        return str(home / named)
    _require_no_password("FACTLOAD_STAGING", named)
    url = named.rstrip("/")
    parts = url.split("/")
    if not _STORE_URL.fullmatch(url) or "." in parts or ".." in parts:
        raise FeedError(
            "setting_invalid",
            f"the environment's FACTLOAD_STAGING names no place in a store (found {named!r})",
            expected="a folder, or a bucket and a prefix such as s3://bucket/prefix; of the stores "
            + ", ".join(f"{store}://" for store in STORES),
            remedy="Correct it in the environment of all workers",
        )
    return url


def staging_package() -> str | None:
    """The package that reaches the store of ``FACTLOAD_STAGING``; None for a folder, and for what can't be read."""
    protocol, is_one, _ = text("FACTLOAD_STAGING").partition("://")
    return STORES.get(protocol) if is_one else None


def _project_folder() -> Path:
    package = Path(__file__).resolve().parent
    if package.parent.name == "include":  # a checkout
        return package.parents[1]
    return Path(os.environ.get("AIRFLOW_HOME") or Path.cwd())


def is_url(name: str) -> bool:
    """Whether a workbook or root is named by a URL, not by a path."""
    return "://" in name


def holds_password(url: str) -> bool:
    """Whether a password stands in a URL, where errors and pages would show it."""
    return _PASSWORD.match(url) is not None


def database_url_holds_password(url: str) -> bool:
    """Whether a password stands in a database's URL."""
    return _DATABASE_PASSWORD.match(url) is not None


def _require_no_password(setting: str, url: str) -> None:
    if holds_password(url):
        raise FeedError(
            "setting_invalid",
            f"the environment's {setting} holds a URL with a password",
            expected="credentials in variables of their own, such as AWS_SECRET_ACCESS_KEY",
            remedy="Take the password out of the URL",
        )


def _checked_url(setting: str, url: str) -> str:
    _require_no_password(setting, url)
    if url.startswith(_LOCAL_FILES):
        raise FeedError(
            "setting_invalid",
            f"the environment's {setting} names a folder by the URL {url}",
            expected="its path, whose links are looked through",
            remedy="Write the path without file:// or local://",
        )
    return url.rstrip("/")


def connection_variable(connection: str) -> tuple[str, str]:
    """The environment's variable that holds a connection's URL, and the URL: empty when none of them has one."""
    names = connection_variables(connection)
    return next(((name, url) for name in names if (url := os.environ.get(name))), (names[0], ""))


def connection_variables(connection: str) -> tuple[str, str]:
    """The environment's variables that may hold a connection's URL; the first is looked at first."""
    return f"{_CONNECTIONS}{connection.upper()}", f"AIRFLOW_CONN_{connection.upper()}"


def connection_url(connection: str) -> str:
    """The URL of a feed's connection from the environment; raises ``FeedError`` when there is none."""
    if "://" in connection:
        return connection
    _, url = connection_variable(connection)
    if url:
        return url
    names = connection_variables(connection)
    raise FeedError(
        "connection_unknown",
        f"connection {connection} is not known here",
        expected=f"{' or '.join(names)} in the environment, a URL such as postgresql://user@host/database",
        remedy="Set one of them, or name the database with --url",
    )


def named_connections() -> dict[str, str]:
    """The connections that the environment names for factload, id → URL."""
    return {
        name.removeprefix(_CONNECTIONS).lower(): url
        for name, url in sorted(os.environ.items())
        if name.startswith(_CONNECTIONS) and url
    }
