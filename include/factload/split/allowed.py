"""Where workbooks may lie: below the allowed roots, folders and URLs, and nowhere else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from factload.errors import WorkbookError
from factload.printable import in_one_line
from factload.settings import holds_password, settings

_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_FILE = (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO, errno.EINVAL)


@dataclass(frozen=True, slots=True)
class AllowedFile:
    """A file below an allowed root: the root, and the names from there on, none of which was a link."""

    root: Path
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.parts[-1]

    def __str__(self) -> str:
        return str(self.root.joinpath(*self.parts))

    def open(self, mode: Literal["rb"] = "rb", /) -> BufferedReader:
        """The file, open for reading. Folder by folder, so that none of them can have become a link meanwhile.

        Raises ``WorkbookError``: ``workbook_missing``, ``workbook_unreadable``.
        """
        with path_errors(str(self)), opened_folder(self) as folder:
            file = os.open(self.name, _FILE, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise missing(f"there is no workbook {in_one_line(str(self))}")
        return os.fdopen(file, mode)


@contextmanager
def opened_folder(file: AllowedFile, *, to_write: bool = False) -> Iterator[int]:
    """A descriptor of the file's folder; ``to_write``: folders that are missing are made. Raises OSError."""
    # One of O_PATH can be neither locked nor synced.
    how = _FOLDER & ~getattr(os, "O_PATH", 0) if to_write else _FOLDER
    folder = os.open(file.root, how & ~os.O_NOFOLLOW)
    try:
        for part in file.parts[:-1]:
            if to_write:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
            above, folder = folder, os.open(part, how, dir_fd=folder)
            os.close(above)
        yield folder
    finally:
        os.close(folder)


@contextmanager
def path_errors(path: str) -> Iterator[None]:
    """What can be wrong with a path, by what to do next."""
    try:
        yield
    except FileNotFoundError as error:
        raise missing(f"there is no workbook {in_one_line(str(path))}") from error
    except PermissionError as error:
        raise WorkbookError(
            "workbook_unreadable",
            f"the workbook {in_one_line(path)} may not be read",
            expected="the right to search its folders and to read it",
            remedy="Grant it to the user that runs loads",
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        # Links in a circle, names that no file can have, sockets; a link where none was a moment ago
        if isinstance(error, OSError) and error.errno not in _NO_FILE:
            raise
        raise missing(f"no file can be reached at {in_one_line(path)}") from error


def workbook_path(name: str) -> AllowedFile:
    """The workbook that ``name`` means: relative to the project's folder, links resolved, inside an allowed root.

    Raises ``WorkbookError`` when it lies elsewhere, or isn't there.
    """
    found = allowed_file(name)
    found.open().close()
    return found


def allowed_file(name: str) -> AllowedFile:
    """The file that ``name`` means, whether it is there or not. Raises as :func:`workbook_path` does."""
    path = require_allowed(name)
    root = next(root for root in _roots() if path.is_relative_to(root))
    parts = path.relative_to(root).parts
    if not parts:
        raise missing(f"there is no workbook {in_one_line(str(path))}")
    return AllowedFile(root, parts)


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
    with path_errors(name):
        path = (settings().home / name).resolve()
    if not any(path.is_relative_to(root) for root in _roots()):
        raise outside(name)
    return path


def _roots() -> list[Path]:
    return [root.resolve() for root in settings().allowed_roots]


def require_allowed_url(url: str) -> str:
    """The URL; raises ``WorkbookError`` outside the allowed roots, and where it holds a password.

    A second address within one (fsspec's ``::``) and steps upwards, however they are written, lead anywhere. Control
    characters hide steps: what asks a web server leaves some out.
    """
    if holds_password(url):
        raise WorkbookError(
            "workbook_not_allowed",
            "the workbook's URL holds a password",
            expected="credentials in the environment, where neither the ledger nor a page shows them",
        )
    require_printable(url)
    require_printable(unquote(url))
    parts = unquote(url).replace("\\", "/").split("/")
    if "::" in url or ".." in parts or "." in parts:
        raise outside(url)
    if not any(url.startswith(f"{root}/") for root in settings().allowed_urls):
        raise outside(url)
    return url


def require_printable(name: str) -> str:
    """The name; raises ``WorkbookError`` where it holds what no message can show."""
    if not name.isprintable():
        raise WorkbookError(
            "workbook_name",
            f"the name of the workbook {in_one_line(name)} can't be printed",
            expected="a name without control characters, in UTF-8",
            remedy="Rename it",
        )
    return name


def outside(name: str) -> WorkbookError:
    """The refusal of a workbook that lies outside the allowed roots."""
    here = settings()
    return WorkbookError(
        "workbook_not_allowed",
        f"workbook {in_one_line(name)} lies outside the allowed roots",
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
