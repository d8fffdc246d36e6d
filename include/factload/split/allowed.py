"""Where workbooks may lie: below the allowed roots, folders and URLs, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from factload.errors import WorkbookError
from factload.settings import holds_password, settings


def workbook_path(name: str) -> Path:
    """The workbook that ``name`` means: relative to the project's folder, links resolved, inside an allowed root.

    Raises ``WorkbookError`` when it lies elsewhere, or isn't there.
    """
    path = require_allowed(name)
    if not path.is_file():
        raise missing(f"there is no workbook {path}")
    return path


def missing(seen: str, expected: str = "") -> WorkbookError:
    """The error of a workbook that isn't there."""
    return WorkbookError(
        "workbook_missing",
        seen,
        expected=expected,
        remedy="Put it there, or name another with --workbook (in Airflow: the parameter `workbook`)",
    )


def require_allowed(name: str) -> Path:
    """The path that ``name`` means, links resolved; raises ``WorkbookError`` outside the allowed roots."""
    here = settings()
    path = (here.home / name).resolve()
    if not any(path.is_relative_to(root.resolve()) for root in here.allowed_roots):
        raise outside(name)
    return path


def require_allowed_url(url: str) -> str:
    """The URL; raises ``WorkbookError`` outside the allowed roots, and where it holds a password.

    A second address within one (fsspec's ``::``) and steps upwards, however they are written, lead anywhere.
    """
    if holds_password(url):
        raise WorkbookError(
            "workbook_not_allowed",
            "the workbook's URL holds a password",
            expected="credentials in the environment, where neither the ledger nor a page shows them",
        )
    parts = unquote(url).replace("\\", "/").split("/")
    if "::" in url or ".." in parts or "." in parts:
        raise outside(url)
    if not any(url.startswith(f"{root}/") for root in settings().allowed_urls):
        raise outside(url)
    return url


def outside(name: str) -> WorkbookError:
    """The refusal of a workbook that lies outside the allowed roots."""
    here = settings()
    return WorkbookError(
        "workbook_not_allowed",
        f"workbook {name} lies outside the allowed roots",
        expected="a place below " + ", ".join(map(str, (*here.allowed_roots, *here.allowed_urls))),
        remedy="Put it there, or add its folder to FACTLOAD_ALLOWED_ROOTS",
    )


def changed(name: str, how: str = "overwritten") -> WorkbookError:
    """The refusal of a workbook that is not, or no longer, the one that the load was opened with."""
    return WorkbookError(
        "workbook_changed",
        f"the workbook {name} was {how} while it was read",
        expected="the bytes that the load was opened with",
        remedy="Nothing was loaded. Run the load again once the workbook is complete",
    )
