"""``open_load``: everything that a load needs is there, and its attempt is the newest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from factload.dimension.table import check_dimensions
from factload.fact import standing
from factload.fact.rights import require_rights
from factload.fact.surrogates import require_surrogates_fit
from factload.fact.table import fact_table
from factload.feed.model import Feed
from factload.ledger import migrations
from factload.ledger.corrections import Correction
from factload.ledger.opening import last_publication, open_attempt
from factload.load import Load, SourceFile
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.postgres.locks import holders_named
from factload.runtime.measure import measured
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import record
from factload.split.sources import read_sources
from factload.staging import orphaned
from factload.staging.copies import sweep_copies
from factload.staging.store import delete_older
from factload.steps.resume import make_staging


@again_after_conflict
def open_load(
    feed: Feed,
    period: date,
    *,
    database: str,
    workbook: str | None = None,
    sources: Sequence[SourceFile] = (),
    reload: bool = False,
    corrections: Sequence[Correction] = (),
) -> Load:
    """Begin an attempt at the load of ``feed`` and ``period``: everything is there, and this is the newest epoch.

    ``workbook``: instead of the feed's own; ``sources``: the workbooks themselves, when they are known already;
    ``corrections``: rows that a person corrected, which stay with the load.

    Raises ``FeedError`` (table, column or type), ``WorkbookError`` (missing, outside the roots, two
    copies of one) before anything is written. A load that is published with the same content comes back as
    ``already_published``.
    """
    engine, feed = engine_for(database), feed.at(period)
    with measured() as measurement:
        named = workbook or feed.workbook.for_period(period)
        sources = sources or read_sources(named)
        with (
            database_errors("opening the load"),
            engine.connect() as connection,
            holders_named(connection),
            connection.begin(),
        ):
            migrations.install(connection)
            fact = fact_table(connection, feed)
            require_surrogates_fit(connection, feed, fact, check_dimensions(connection, feed))
            require_rights(connection, feed)
            load_id = feed.load_id(period)
            load = open_attempt(connection, feed, load_id, period, named, sources, reload, corrections)
            last = last_publication(connection, load_id)
            if load.already_published:
                standing.require_intact(connection, load_id, feed, fact, last)
            else:
                standing.require_repeatable(last, load_id, feed)
                standing.require_within_reach(connection, load_id, feed, fact, last)
                standing.require_place(connection, load_id, period, feed, fact)
                make_staging(connection, load, feed, fact)
    if load.already_published:
        orphaned.remove_kept(engine, load)
    else:
        delete_older(load)
        orphaned.sweep(engine)
        sweep_copies()
        with database_errors("noting open_load in the ledger"), engine.begin() as connection:
            record(connection, load, "open_load", "", measurement)
    return load
