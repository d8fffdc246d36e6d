"""The rejected rows of a load tried again: after the dimension has caught up, or as a person corrected them.

A replay is the same load again (``docs/adr``): its workbooks as they were, with corrected rows in the place of the
rejected ones. So what resolves now is added exactly once, and the whole load is reconciled and published anew.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

from factload.afterwards.corrections import read_corrected, require_rejected
from factload.database import database_errors, engine_for
from factload.errors import WorkbookError
from factload.feed.model import Feed
from factload.ledger.opening import newest_load
from factload.ledger.partitions import rejects_by_reason
from factload.load import Load
from factload.pipeline import carry_out
from factload.reports.progress import Progress
from factload.split.fields import sheet_fields
from factload.split.sources import SourceFile, read_sources, require_unchanged
from factload.steps import open_load


def replay_load(
    feed: Feed, period: date, *, database: str, workbook: str | None = None, progress: Progress
) -> Load:
    """Try the rejected rows of a load again; returns the load once published.

    ``workbook``: a corrected workbook, as ``factload rejects LOAD --xlsx`` wrote it. Without rejects nothing is
    done. Raises what ``open_replay`` and the steps raise.
    """
    load = open_replay(feed, period, database=database, workbook=workbook)
    return load if load.already_published else carry_out(load, feed, database=database, progress=progress)


def open_replay(feed: Feed, period: date, *, database: str, workbook: str | None = None) -> Load:
    """Begin an attempt at the load as it was last, with one corrected workbook more if there is one.

    Raises ``FeedError`` for a load that there isn't, or that stopped before its rejects were all known,
    ``WorkbookError`` when one of its workbooks is not what was loaded, ``RowsRefused`` for corrected rows that are
    not rejected ones.
    """
    load_id = feed.load_id(period)
    with database_errors("reading the ledger"), engine_for(database).connect() as connection:
        last = newest_load(connection, load_id)
        rejected = rejects_by_reason(connection, last)
    sources = last.sources
    for source in sources:
        _require_as_loaded(source, load_id)
    if workbook is not None:
        [found] = read_sources(workbook)
        corrected = replace(found, corrects=True)
        if corrected not in sources:
            _require_fit(feed, last, corrected, database)
            sources = (*sources, corrected)
    elif not rejected and last.already_published:
        return last
    return open_load(feed, period, database=database, workbook=last.workbook, sources=sources, reload=True)


def _require_fit(feed: Feed, last: Load, corrected: SourceFile, database: str) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="factload-replay-") as folder,
        database_errors("reading the rejects"),
        engine_for(database).connect() as connection,
    ):
        found = read_corrected(corrected, sheet_fields(feed), Path(folder), feed.rows_per_partition)
        require_rejected(connection, last, found)


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
