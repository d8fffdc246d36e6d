"""The rejected rows of a load, marked in the workbook that they came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import IO

from sqlalchemy.engine import Connection

from factload.errors import FeedError, WorkbookError
from factload.ledger.opening import newest_load
from factload.ledger.rejects import read_rejects, rejects_by_reason
from factload.load import SourceFile
from factload.reports.annotated.edited_part import OTHERWISE
from factload.reports.annotated.workbook import Annotated, Mark, annotate
from factload.sheet.references import column_index
from factload.sheet.reject import Reject
from factload.split.sources import openable, require_unchanged

MOST_REJECTS = 100_000  # nobody corrects more by hand


def annotate_rejects(
    file: IO[bytes],
    connection: Connection,
    load_id: str,
    workbook: str | None = None,
    *,
    most_bytes: int | None = None,
) -> Annotated:
    """Write the workbook of a load into ``file``, its rejected cells marked and commented on.

    ``workbook``: which of several, by its path or name. ``most_bytes``: nothing is written of a larger one.
    Raises ``FeedError`` where none or several have rejects, or
    there are very many; ``WorkbookError`` when the workbook is not the one that was loaded, or can't be annotated.
    """
    load = newest_load(connection, load_id)
    count = sum(rejects_by_reason(connection, load_id).values())
    if count > MOST_REJECTS:
        raise FeedError(
            "rejects_too_many",
            f"{load_id} has {count:,} rejected rows",
            expected=f"at most {MOST_REJECTS:,} to mark in the workbook itself",
            remedy=OTHERWISE,
        )
    found: dict[str, list[Reject]] = {}
    for reject in read_rejects(connection, load_id):
        found.setdefault(reject.workbook, []).append(reject)
    return annotate_source(file, load_id, load.sources, found, workbook, most_bytes=most_bytes)


def annotate_source(
    file: IO[bytes],
    load_id: str,
    sources: Sequence[SourceFile],
    found: Mapping[str, Sequence[Reject]],
    workbook: str | None = None,
    *,
    most_bytes: int | None = None,
) -> Annotated:
    """Write the one of ``sources`` into ``file`` that has rejects, or is called ``workbook``; raises as above.

    ``found``: a workbook's path → its rejects.
    """
    source = _chosen(load_id, sources, found, workbook)
    if most_bytes is not None and source.bytes > most_bytes:
        raise FeedError(
            "annotated_too_large",
            f"{source.path} has {source.bytes:,} bytes",
            expected=f"at most {most_bytes:,} for what is written here",
            remedy=f"Once it is loaded: `factload rejects {load_id} --xlsx marked.xlsx --annotated`",
        )
    marks: dict[str, list[Mark]] = {}
    for reject in found[source.path]:
        marks.setdefault(reject.sheet, []).append(_mark(reject))
    _require_as_loaded(source)
    # Where columns become rows, several rejects may be for the same cell.
    done = annotate(file, openable(source), {sheet: list(dict.fromkeys(of)) for sheet, of in marks.items()})
    _require_as_loaded(source)
    return done


def _chosen(
    load_id: str, sources: Sequence[SourceFile], found: Mapping[str, Sequence[Reject]], workbook: str | None
) -> SourceFile:
    own = {source.path: source for source in sources}
    with_rejects = [own[path] for path in found if path in own]
    if workbook is not None:
        with_rejects = [s for s in with_rejects if workbook in (s.path, PurePath(s.path).name)]
    if len(with_rejects) == 1:
        return with_rejects[0]
    if not found:
        raise FeedError("rejects_none", f"{load_id} has no rejected rows")
    names = ", ".join(path for path in found)
    raise FeedError(
        "workbook_unnamed",
        f"rows of {len(found)} workbooks of {load_id} were rejected"
        if workbook is None
        else f"{load_id} has no one workbook {workbook} with rejected rows",
        expected=f"one of {names}",
        remedy="Name it with --workbook",
    )


def _mark(reject: Reject) -> Mark:
    letters = (reject.cell or "A").rstrip("0123456789")
    return Mark(reject.row, column_index(letters), f"{reject.explanation} ({reject.reason})")


def _require_as_loaded(source: SourceFile) -> None:
    try:
        require_unchanged(source)
    except WorkbookError as error:
        raise WorkbookError(
            "workbook_changed",
            f"the workbook {source.path} is not there any more as it was read",
            expected="the same bytes: its cells are marked by their addresses",
            remedy="Put it back; or leave out --annotated, and the rejected rows are written by themselves",
        ) from error
