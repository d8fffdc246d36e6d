"""The workbooks of a load: found by name or by pattern, known by their bytes, and proven to have stayed the same."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Sequence
from pathlib import PurePath, PurePosixPath

from factload.checksum import sha256_of
from factload.errors import WorkbookError
from factload.load import SourceFile
from factload.printable import in_one_line
from factload.settings import is_url, settings
from factload.sheet.workbook_file import Openable, opened
from factload.split.allowed import (
    changed,
    missing,
    outside,
    path_errors,
    require_allowed,
    require_allowed_url,
    require_printable,
    workbook_path,
)
from factload.split.remote import copy_of, fetch, find_urls, fixed_part, stamp_of

MAX_SOURCES = 1_000
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart")  # what copying programs write first
_HIDDEN = ("~$", ".")  # what Excel and LibreOffice lay beside a workbook that is open


def openable(source: SourceFile) -> Openable:
    """Where a workbook or its copy lies; raises ``WorkbookError`` when it is gone or outside the allowed roots."""
    if is_url(source.path):
        return copy_of(require_allowed_url(source.path), source.sha256)
    return workbook_path(source.path)


def read_sources(name: str) -> tuple[SourceFile, ...]:
    """The workbook called ``name``, or all that match it when it is a pattern (``*``, ``?``, ``[…]``, ``**``).

    In the order of their names; lock files and half-copied ones are left out. Raises ``WorkbookError``:
    ``workbook_missing``, ``workbook_not_allowed`` (also for a link that leads out of the allowed roots),
    ``workbook_twice``, ``workbooks_too_many``.
    """
    found = tuple(_source(path) for path in find_workbooks(name))
    _refuse_copies(found)
    return found


def find_workbooks(name: str) -> list[str]:
    """The names of the workbooks that :func:`read_sources` reads."""
    name = placed(name)
    if is_url(name):
        place, found = name, _matching_urls(require_allowed_url(name))
    else:
        with path_errors(name):
            place, found = str(settings().home / name), _matching_paths(name)
    if not found:
        if glob.has_magic(name):
            raise missing(f"no workbook matches {in_one_line(place)}", expected="at least one")
        raise missing(f"there is no workbook {in_one_line(place)}")
    if len(found) > MAX_SOURCES:
        raise WorkbookError(
            "workbooks_too_many",
            f"{len(found):,} workbooks match {in_one_line(place)}",
            expected=f"at most {MAX_SOURCES:,} a load",
            remedy="Narrow the pattern",
        )
    return sorted(found)


def placed(name: str) -> str:
    """The name; where relative paths start in a store, a relative one as its URL."""
    start = settings().workbooks
    is_relative = not is_url(name) and not PurePath(name).is_absolute()
    return f"{start}/{PurePosixPath(name)}" if start and is_relative else name


def _matching_paths(name: str) -> list[str]:
    home = settings().home
    if not glob.has_magic(name) or (home / name).is_file():
        workbook_path(name)
        return [_named(name)]
    parts = PurePath(name).parts
    magic = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    folder, pattern = PurePath(*parts[:magic]), PurePath(*parts[magic:])
    if ".." in parts:
        raise outside(name)
    require_allowed(str(folder))
    matching = (home / folder).glob(str(pattern))
    found = [str(m) for m in matching if may_be_read(m.relative_to(home / folder)) and m.is_file()]
    for match in found:
        workbook_path(match)
    return [_named(match) for match in found]


def _matching_urls(url: str) -> list[str]:
    found = find_urls(url)
    if not glob.has_magic(url) or found == [url]:
        return found
    above = fixed_part(url)
    matching = [match for match in found if may_be_read(PurePosixPath(match.removeprefix(above)))]
    return list(map(require_allowed_url, matching))  # a server may list what lies elsewhere


def stamps(name: str) -> list[tuple[str, str]]:
    """Each of the workbooks, with something that changes when it does. Raises as :func:`read_sources` does."""
    return [(found, stamp_of(found) if is_url(found) else _stamp(found)) for found in find_workbooks(name)]


def _stamp(name: str) -> str:
    with workbook_path(name).open() as file:
        found = os.fstat(file.fileno())
    return f"{found.st_size} {found.st_mtime}"


def require_unchanged(source: SourceFile) -> None:
    """Raise ``WorkbookError`` when the workbook is not, or no longer, the one that the load was opened with."""
    try:
        found = sha256_of(openable(source))
    except FileNotFoundError:
        found = ""
    except WorkbookError as error:
        if error.code != "workbook_missing":
            raise
        found = ""
    if found != source.sha256:
        raise changed(source.path, "overwritten" if found else "removed")


def _source(name: str) -> SourceFile:
    if is_url(name):
        return SourceFile(name, *fetch(name))
    with opened(workbook_path(name)) as file:
        return SourceFile(name, hashlib.file_digest(file.stream(), "sha256").hexdigest(), file.size)


def _named(name: str) -> str:
    """``name`` as the project calls it."""
    here = settings().home
    path = here / name
    if ".." in path.parts:
        path = path.resolve()
    return require_printable(str(path.relative_to(here) if path.is_relative_to(here) else path))


def may_be_read(path: PurePath) -> bool:
    """Whether a pattern means such a file: none that is hidden, a lock, or still being copied."""
    return not any(part.startswith(_HIDDEN) for part in path.parts) and not path.name.lower().endswith(
        _UNFINISHED
    )


def _refuse_copies(sources: Sequence[SourceFile]) -> None:
    seen: dict[str, SourceFile] = {}
    copies = [
        WorkbookError(
            "workbook_twice",
            f"{first.path} and {source.path} are the same workbook: every row would be loaded twice",
            remedy="Take one of them away",
        )
        for source in sources
        if (first := seen.setdefault(source.sha256, source)) is not source
    ]
    if copies:
        raise WorkbookError.together(copies)
