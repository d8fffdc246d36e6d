"""The workbooks of a load: found by name or by pattern, known by their bytes, and proven to have stayed the same."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from factload.checksum import sha256_of
from factload.errors import WorkbookError
from factload.settings import outside, require_allowed, settings, workbook_path

MAX_SOURCES = 1_000
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart")  # what copying programs write first
_HIDDEN = ("~$", ".")  # what Excel and LibreOffice lay beside a workbook that is open


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One workbook of a load. ``path`` is relative to the project's folder where it lies below it.

    ``corrects``: its rows stand in the place of rejected rows of those before it.
    """

    path: str
    sha256: str
    bytes: int
    corrects: bool = False

    @property
    def file(self) -> Path:
        """Where it lies; raises ``WorkbookError`` when it is gone or lies outside the allowed roots."""
        return workbook_path(self.path)


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
    found = [str(m) for m in (home / folder).glob(str(pattern)) if _is_workbook(m, home / folder)]
    if not found:
        raise WorkbookError(
            "workbook_missing",
            f"no workbook matches {home / name}",
            expected="at least one",
            remedy="Put it there, or name another with --workbook (in Airflow: the parameter `workbook`)",
        )
    if len(found) > MAX_SOURCES:
        raise WorkbookError(
            "workbooks_too_many",
            f"{len(found):,} workbooks match {home / name}",
            expected=f"at most {MAX_SOURCES:,} a load",
            remedy="Narrow the pattern",
        )
    for match in found:
        workbook_path(match)
    return sorted(map(_named, found))


def sha256_of_sources(sources: Sequence[SourceFile]) -> str:
    """What a load's workbooks are known by: one by its own SHA-256, several by that of all names and SHA-256s."""
    if len(sources) == 1:
        return sources[0].sha256
    listed = json.dumps([(source.path, source.sha256) for source in sources])
    return hashlib.sha256(listed.encode()).hexdigest()


def require_unchanged(source: SourceFile) -> None:
    """Raise ``WorkbookError`` when the workbook is not, or no longer, the one that the load was opened with."""
    try:
        found = sha256_of(source.file)
    except FileNotFoundError:
        found = ""
    except WorkbookError as error:
        if error.code != "workbook_missing":
            raise
        found = ""
    if found != source.sha256:
        raise WorkbookError(
            "workbook_changed",
            f"the workbook {source.path} was {'overwritten' if found else 'removed'} while it was read",
            expected="the bytes that the load was opened with",
            remedy="Nothing was loaded. Run the load again once the workbook is complete",
        )


def _source(name: str) -> SourceFile:
    path = workbook_path(name)
    return SourceFile(name, sha256_of(path), path.stat().st_size)


def _named(name: str) -> str:
    """``name`` as the project calls it."""
    here = settings().home
    path = here / name
    if ".." in path.parts:
        path = path.resolve()
    named = str(path.relative_to(here) if path.is_relative_to(here) else path)
    if not named.isprintable():
        raise WorkbookError(
            "workbook_name",
            f"the name of the workbook {named!a} can't be printed",
            expected="a name without control characters, in UTF-8",
            remedy="Rename it",
        )
    return named


def _is_workbook(path: Path, below: Path) -> bool:
    hidden = any(part.startswith(_HIDDEN) for part in path.relative_to(below).parts)
    return not hidden and not path.name.lower().endswith(_UNFINISHED) and path.is_file()


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
