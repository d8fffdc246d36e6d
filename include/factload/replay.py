"""The rejected rows of a load tried again: after the dimension has caught up, or as a person corrected them.

A replay is the same load again (``docs/adr``): its workbooks as they were, with corrected rows in the place of the
rejected ones. So what resolves now is added exactly once, and the whole load is reconciled and published anew.
"""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

from factload.checksum import sha256_of
from factload.corrections.comparison import Corrections, read_returned
from factload.errors import WorkbookError
from factload.feed.model import Feed
from factload.ledger.opening import newest_load, require_none_of_old
from factload.ledger.rejects import rejects_by_reason
from factload.load import Load, SourceFile
from factload.pipeline import carry_out
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.progress import Progress
from factload.sheet.workbook_file import Openable
from factload.split.allowed import changed
from factload.split.fields import sheet_fields
from factload.split.sources import openable, read_sources, require_unchanged
from factload.steps import open_load

_log = logging.getLogger(__name__)


def replay_load(
    feed: Feed, period: date, *, database: str, workbook: str | Path | None = None, progress: Progress
) -> Load:
    """Try the rejected rows of a load again; returns the load once published.

    ``workbook``: a corrected workbook, as ``factload rejects LOAD --xlsx`` wrote it: a name below the allowed roots,
    or, as a ``Path``, any file that the caller may read. Without rejects nothing is done. Raises what ``open_replay``
    and the steps raise.
    """
    load = open_replay(feed, period, database=database, workbook=workbook)
    return load if load.already_published else carry_out(load, feed, database=database, progress=progress)


def open_replay(feed: Feed, period: date, *, database: str, workbook: str | Path | None = None) -> Load:
    """Begin an attempt at the load as it was last, with what was corrected in ``workbook`` if there is one.

    The corrected workbook is not needed any more afterwards: what it corrects stands in the ledger. Raises
    ``FeedError`` for a load that there isn't, or that stopped before its rejects were all known, ``WorkbookError``
    when one of its workbooks is not what was loaded, ``RowsRefused`` for corrected rows that are not rejected ones.
    """
    load_id, feed = feed.load_id(period), feed.at(period)
    with database_errors("reading the ledger"), engine_for(database).connect() as connection:
        last = newest_load(connection, load_id)
        rejected = rejects_by_reason(connection, load_id)
    require_none_of_old(load_id, last.sources)
    for source in last.sources:
        _require_as_loaded(source, load_id)
    found = Corrections() if workbook is None else _corrected(feed, last, workbook, database)
    for note in found.notes:
        _log.warning("%s", note)
    if not found.corrections and not rejected and last.already_published:
        return last
    return open_load(
        feed,
        period,
        database=database,
        workbook=last.workbook,
        sources=last.sources,
        reload=True,
        corrections=found.corrections,
    )


def _corrected(feed: Feed, last: Load, workbook: str | Path, database: str) -> Corrections:
    path: Openable = workbook if isinstance(workbook, Path) else openable(_one(workbook))
    before = sha256_of(path)
    with database_errors("reading the rejects"), engine_for(database).connect() as connection:
        found = read_returned(
            connection,
            path,
            str(workbook),
            last,
            fields=sheet_fields(feed),
            csv=feed.workbook.csv_dialect,
            cells=feed.workbook.cells,
        )
    if sha256_of(path) != before:
        raise changed(str(workbook))
    return found


def _one(name: str) -> SourceFile:
    found = read_sources(name)
    if len(found) > 1:
        raise WorkbookError(
            "corrections_refused",
            f"{len(found)} workbooks match {name}",
            expected="one corrected workbook at a time",
            remedy="Name one of them",
        )
    return found[0]


def _require_as_loaded(source: SourceFile, load_id: str) -> None:
    try:
        require_unchanged(source)
    except WorkbookError as error:
        feed, _, period = load_id.partition("@")
        raise WorkbookError(
            "workbook_changed",
            f"the workbook {source.path} is not the one that {load_id} was loaded from",
            expected="the same bytes: a replay reads the whole rows again",
            remedy=f"Put it back, or load the one that is there: `factload run {feed} --period {period}`",
        ) from error
