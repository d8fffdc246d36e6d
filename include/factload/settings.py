"""What the place of work decides, not the feed: folders, allowed roots, connections. All from the environment.

| variable                 | meaning                                         | default                              |
| ------------------------ | ----------------------------------------------- | ------------------------------------ |
| ``FACTLOAD_HOME``        | the project's folder                            | the one above ``include/``, else ``.`` |
| ``FACTLOAD_FEEDS``       | folder of feed files                            | ``$FACTLOAD_HOME/include/feeds``     |
| ``FACTLOAD_STAGING``     | staging folder, shared by all workers           | ``$FACTLOAD_HOME/.staging``          |
| ``FACTLOAD_ALLOWED_ROOTS`` | folders and URLs of workbooks, between commas  | ``$FACTLOAD_HOME/inbox``             |
| ``FACTLOAD_LOCK_TIMEOUT`` | seconds that a transaction waits for a lock     | 90                                   |
| ``FACTLOAD_IDLE_TIMEOUT`` | seconds that a frozen worker keeps its locks    | 60                                   |
| ``FACTLOAD_SILENCE_TIMEOUT`` | seconds after which a database that says nothing is given up | 60            |
| ``FACTLOAD_STAGING_DAYS`` | days without a sign after which a load's staging is swept | 14       |
| ``FACTLOAD_CONN_<ID>``   | URL of the connection ``<id>``                  | ``AIRFLOW_CONN_<ID>``                |
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from factload.errors import FeedError

_LONGEST_WAIT = 86_400  # a day; 0 would be for ever
_MOST_DAYS = 3_650
_PASSWORD = re.compile(r"[^:/]+://[^/@]*:[^/@]*@")
# As SQLAlchemy parts a URL: a password ends at the next @. libpq also takes it as a parameter.
_DATABASE_PASSWORD = re.compile(r"[^:/]+://[^:/@]*:[^@]+@|.*[?&](?:ssl)?password=", re.IGNORECASE)
_LOCAL_FILES = ("file://", "local://")


@dataclass(frozen=True, slots=True)
class Settings:
    """Folders as absolute paths, URLs without a slash at the end, timeouts in seconds, ``staging_days`` in days."""

    home: Path
    feeds: Path
    staging: Path
    allowed_roots: tuple[Path, ...]
    allowed_urls: tuple[str, ...]
    lock_timeout: int
    idle_timeout: int
    silence_timeout: int
    staging_days: int


def settings() -> Settings:
    """The settings of this process, read anew from the environment at each call."""
    home = Path(os.environ.get("FACTLOAD_HOME") or _project_folder()).absolute()
    named = os.environ.get("FACTLOAD_ALLOWED_ROOTS") or str(home / "inbox")
    roots = [root.strip() for root in named.split(",") if root.strip()]
    return Settings(
        home=home,
        feeds=home / (os.environ.get("FACTLOAD_FEEDS") or "include/feeds"),
        staging=home / (os.environ.get("FACTLOAD_STAGING") or ".staging"),
        allowed_roots=tuple(home / root for root in roots if not is_url(root)),
        allowed_urls=tuple(_root_url(root) for root in roots if is_url(root)),
        lock_timeout=_number("FACTLOAD_LOCK_TIMEOUT", 90, _LONGEST_WAIT, "seconds"),
        idle_timeout=_number("FACTLOAD_IDLE_TIMEOUT", 60, _LONGEST_WAIT, "seconds"),
        silence_timeout=_number("FACTLOAD_SILENCE_TIMEOUT", 60, _LONGEST_WAIT, "seconds"),
        staging_days=_number("FACTLOAD_STAGING_DAYS", 14, _MOST_DAYS, "days"),
    )


def _number(name: str, default: int, most: int, unit: str) -> int:
    value = os.environ.get(name) or str(default)
    if value.isascii() and value.isdigit() and 0 < int(value) <= most:
        return int(value)
    raise FeedError(
        "setting_invalid",
        f"the environment's {name} is not a number of {unit}",
        expected=f"1 to {most}, such as {default}",
    )


def _project_folder() -> Path:
    package = Path(__file__).resolve().parent
    return package.parents[1] if package.parent.name == "include" else Path.cwd()


def is_url(name: str) -> bool:
    """Whether a workbook or root is named by a URL, not by a path."""
    return "://" in name


def holds_password(url: str) -> bool:
    """Whether a password stands in a URL, where errors and pages would show it."""
    return _PASSWORD.match(url) is not None


def database_url_holds_password(url: str) -> bool:
    """Whether a password stands in a database's URL."""
    return _DATABASE_PASSWORD.match(url) is not None


def _root_url(root: str) -> str:
    if holds_password(root):
        raise FeedError(
            "setting_invalid",
            "the environment's FACTLOAD_ALLOWED_ROOTS holds a URL with a password",
            expected="credentials in variables of their own",
        )
    if root.startswith(_LOCAL_FILES):
        raise FeedError(
            "setting_invalid",
            f"the environment's FACTLOAD_ALLOWED_ROOTS names a folder by the URL {root}",
            expected="its path, whose links are looked through",
        )
    return root.rstrip("/")


def connection_url(connection: str) -> str:
    """The URL of a feed's connection from the environment; raises ``FeedError`` when there is none."""
    if "://" in connection:
        return connection
    names = [f"{prefix}_CONN_{connection.upper()}" for prefix in ("FACTLOAD", "AIRFLOW")]
    for name in names:
        if value := os.environ.get(name):
            return value
    raise FeedError(
        "connection_unknown",
        f"connection {connection} is not known here",
        expected=f"{' or '.join(names)} in the environment, a URL such as postgresql://user@host/database",
        remedy="Set one of them, or name the database with --url",
    )


def named_connections() -> dict[str, str]:
    """The connections that the environment names for factload, id → URL."""
    prefix = "FACTLOAD_CONN_"
    return {
        name.removeprefix(prefix).lower(): url
        for name, url in sorted(os.environ.items())
        if name.startswith(prefix) and url
    }
