"""What the place of work decides, not the feed: folders, allowed roots, connections. All from the environment.

| variable                 | meaning                                         | default                              |
| ------------------------ | ----------------------------------------------- | ------------------------------------ |
| ``FACTLOAD_HOME``        | the project's folder                            | the one above ``include/``, else ``.`` |
| ``FACTLOAD_FEEDS``       | folder of feed files                            | ``$FACTLOAD_HOME/include/feeds``     |
| ``FACTLOAD_STAGING``     | staging folder, shared by all workers           | ``$FACTLOAD_HOME/.staging``          |
| ``FACTLOAD_ALLOWED_ROOTS`` | where workbooks may lie, separated by commas  | ``$FACTLOAD_HOME/inbox``             |
| ``FACTLOAD_LOCK_TIMEOUT`` | seconds that a transaction waits for a lock     | 90                                   |
| ``FACTLOAD_IDLE_TIMEOUT`` | seconds that a frozen worker keeps its locks    | 60                                   |
| ``FACTLOAD_STAGING_DAYS`` | days without a sign after which a load's staging is swept | 14       |
| ``FACTLOAD_CONN_<ID>``   | URL of the connection ``<id>``                  | ``AIRFLOW_CONN_<ID>``                |
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from factload.errors import FeedError, WorkbookError

_LONGEST_WAIT = 86_400  # a day; 0 would be for ever
_MOST_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Settings:
    """Folders as absolute paths, timeouts in seconds, ``staging_days`` in days."""

    home: Path
    feeds: Path
    staging: Path
    allowed_roots: tuple[Path, ...]
    lock_timeout: int
    idle_timeout: int
    staging_days: int


def settings() -> Settings:
    """The settings of this process, read anew from the environment at each call."""
    home = Path(os.environ.get("FACTLOAD_HOME") or _project_folder()).absolute()
    roots = os.environ.get("FACTLOAD_ALLOWED_ROOTS") or str(home / "inbox")
    return Settings(
        home=home,
        feeds=home / (os.environ.get("FACTLOAD_FEEDS") or "include/feeds"),
        staging=home / (os.environ.get("FACTLOAD_STAGING") or ".staging"),
        allowed_roots=tuple(home / root.strip() for root in roots.split(",") if root.strip()),
        lock_timeout=_number("FACTLOAD_LOCK_TIMEOUT", 90, _LONGEST_WAIT, "seconds"),
        idle_timeout=_number("FACTLOAD_IDLE_TIMEOUT", 60, _LONGEST_WAIT, "seconds"),
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


def workbook_path(name: str) -> Path:
    """The workbook that ``name`` means: relative to the project's folder, links resolved, inside an allowed root.

    Raises ``WorkbookError`` when it lies elsewhere, or isn't there.
    """
    path = require_allowed(name)
    if not path.is_file():
        raise WorkbookError(
            "workbook_missing",
            f"there is no workbook {path}",
            remedy="Put it there, or name another with --workbook (in Airflow: the parameter `workbook`)",
        )
    return path


def require_allowed(name: str) -> Path:
    """The path that ``name`` means, links resolved; raises ``WorkbookError`` outside the allowed roots."""
    here = settings()
    path = (here.home / name).resolve()
    if not any(path.is_relative_to(root.resolve()) for root in here.allowed_roots):
        raise outside(name)
    return path


def outside(name: str) -> WorkbookError:
    """The refusal of a path that leads out of the allowed roots."""
    expected = "a path below " + ", ".join(map(str, settings().allowed_roots))
    if "://" in name:
        return WorkbookError(
            "workbook_not_allowed",
            f"workbook {name} is a URL",
            expected=expected,
            remedy="Copy or mount it there before the load runs",
        )
    return WorkbookError(
        "workbook_not_allowed",
        f"workbook {name} lies outside the allowed roots",
        expected=expected,
        remedy="Put it there, or add its folder to FACTLOAD_ALLOWED_ROOTS",
    )


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
