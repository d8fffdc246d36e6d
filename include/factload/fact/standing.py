"""What a load published before, checked in the database: whether its rows are all still there, and whether the next
publication will find and replace them.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from factload.errors import FeedError, ReconciliationError
from factload.fact.load_column import carries, load_key
from factload.fact.modes.registry import mode_named, mode_of
from factload.fact.relation import relation_of
from factload.feed.model import Feed
from factload.ledger.opening import Publication
from factload.postgres.tables import table_there


def require_repeatable(last: Publication | None, load_id: str, feed: Feed) -> None:
    """Raise ``FeedError`` where something is to take the place of rows that were published for good: they can't be
    told from others."""
    if last is None:
        return
    for name in (last.mode, feed.fact.mode.kind):
        if not mode_named(name).repeatable:
            raise FeedError(
                "appended_already",
                f"{load_id} is published: {last.rows} rows went into {feed.fact.table}, and mode "
                f"{name} can't replace them, as a changed workbook or feed, or --reload, would require",
                expected="the same workbook and feed as published",
                remedy="Deliver additional rows in a workbook of another period. To replace rows, give the table a "
                "load column and use a new feed with `mode: replace`",
            )


def require_within_reach(
    connection: Connection, load_id: str, feed: Feed, fact: Table, last: Publication | None
) -> None:
    """Raise ``FeedError`` where rows of the load would stay behind, since the feed now names another table or load
    column than when they were published."""
    if last is None or not mode_named(last.mode).replaces or last.table is None or last.load_column is None:
        return
    if (last.table, last.load_column) == (feed.fact.table, feed.fact.load_column):
        return
    before = table_there(connection, last.table)
    if before is None or last.load_column not in before.c:
        return
    same_table = relation_of(connection, before).oid == relation_of(connection, fact).oid
    if same_table and (not mode_of(feed.fact).replaces or feed.fact.load_column == last.load_column):
        return
    missed = [carries(before, last.load_column, load_id)]
    if same_table:
        now = before.c[feed.fact.load_column or ""]
        missed.append(now.is_distinct_from(load_key(now, load_id)))
    left = connection.scalar(select(func.count()).select_from(before).where(*missed))
    if left:
        raise FeedError(
            "facts_left_behind",
            f"{load_id} is published: {left} of its rows stand in {last.table}, where {last.load_column} says so, and "
            f"the feed now names {_named(feed)}: they would stay there, and be loaded a second time",
            expected="the table and load column of the last publication",
            remedy="Restore the feed; or move these rows to the new place, or delete them; then run the load again",
        )


def require_place(connection: Connection, load_id: str, period: date, feed: Feed, fact: Table) -> None:
    """Raise ``FeedError`` where the rows of this load can't come into a table that fits the feed."""
    if defects := list(mode_of(feed.fact).place_defects(connection, feed, fact, load_id, period)):
        raise FeedError.together(defects)


def require_intact(
    connection: Connection, load_id: str, feed: Feed, fact: Table, last: Publication | None
) -> None:
    """Raise ``ReconciliationError`` unless as many rows of a published load are there as were published.

    Only the rows of a mode that replaces them can be counted: no other load may have them.
    """
    if last is None or not mode_named(last.mode).replaces or feed.fact.load_column is None:
        return
    own = carries(fact, feed.fact.load_column, load_id)
    found = connection.scalar(select(func.count()).select_from(fact).where(own)) or 0
    if found != last.rows:
        feed_name, _, period = load_id.partition("@")
        raise ReconciliationError(
            "facts_altered",
            f"{load_id} is published, but {feed.fact.table} has {found} of its rows, and {last.rows} were published: "
            "somebody else has changed them since",
            remedy=f"`factload run {feed_name} --period {period} --reload` puts them back as they were published",
        )


def _named(feed: Feed) -> str:
    fact = feed.fact
    return f"{fact.table}, load column {fact.load_column}" if fact.load_column else fact.table
