"""What publishing a period would change, before it is published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from factload.diff.difference import Difference
from factload.diff.of_load import difference_of, staged_load
from factload.errors import RowsRefused, WorkbookError
from factload.feed.model import Feed
from factload.last_net import foreseen
from factload.ledger import ledger
from factload.ledger.corrections import read_corrections, sha256_of_corrections
from factload.ledger.migrations import installed_version
from factload.load import Load, SourceFile, content_of, sha256_of_sources
from factload.pipeline import stage
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.progress import QUIET, Progress
from factload.split.sources import read_sources
from factload.steps import open_load, record_failure


def diff_load(
    feed: Feed, period: date, *, database: str, workbook: str | None = None, progress: Progress = QUIET
) -> Difference:
    """What publishing the workbooks of one period would change against what stands in the fact table.

    What the newest attempt has staged and proved is compared as it is, if it was made of these workbooks. Else they are
    staged: a new attempt is opened, and left ``reconciled`` or ``held``; the next run of the period publishes it
    without staging it again. Nothing is published. Raises what the steps raise.
    """
    feed = feed.at(period)
    load = _staged_already(feed, period, database, workbook)
    if load is None:
        load = open_load(feed, period, database=database, workbook=workbook)
        if load.already_published:
            return _nothing(load, feed)
        _stage(load, feed, database, progress)
    progress.step("compare")
    with (
        database_errors("comparing what is staged with what stands"),
        engine_for(database).connect() as connection,
    ):
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        with snapshot.begin():
            return difference_of(snapshot, load, feed)


def _staged_already(feed: Feed, period: date, database: str, workbook: str | None) -> Load | None:
    """The newest attempt, where all its rows are staged and proved, and made of the workbooks that there are now. Where
    there are none any more, it is what there is."""
    with database_errors("reading the ledger"), engine_for(database).connect() as connection:
        if installed_version(connection) is None:
            return None
        load = staged_load(connection, feed.load_id(period))
        if load is None:
            return None
        corrected = sha256_of_corrections(read_corrections(connection, load.load_id))
    try:
        sources: Sequence[SourceFile] = read_sources(workbook or feed.workbook.for_period(period))
    except WorkbookError:
        if workbook is not None:
            raise
        sources = load.sources
    same = content_of(sha256_of_sources(sources), feed.fingerprint, corrected) == load.content
    return load if same else None


def _stage(load: Load, feed: Feed, database: str, progress: Progress) -> None:
    """Stage and prove all rows. A load that is held for its limits is staged and proved too."""
    try:
        stage(load, feed, database=database, progress=progress)
    except Exception as error:
        ended = foreseen(error)
        record_failure(load, ended, database=database)
        if not isinstance(ended, RowsRefused) or ended.code not in ledger.HELD_FOR:
            raise ended from error.__cause__ if ended is error else error


def _nothing(load: Load, feed: Feed) -> Difference:
    return Difference(
        load_id=load.load_id,
        feed=load.feed,
        period=load.period,
        state="published",
        workbooks=tuple(source.path for source in load.sources),
        table=feed.fact.table,
        key=(),
        notes=("these workbooks are published already, with this feed: a run would change nothing",),
    )
