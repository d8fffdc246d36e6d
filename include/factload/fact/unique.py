"""What may stand in a load once, and where it needs a value: as the feed says, the mode, and the fact table."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from factload.fact.modes.registry import mode_of
from factload.fact.once_only import OnceOnly
from factload.feed.model import Feed
from factload.postgres.indexes import unique_indexes


def once_only(connection: Connection, feed: Feed, fact: Table) -> list[OnceOnly]:
    """What may stand in a load once: since the feed says `unique`, since it upserts by it, or since a unique index of
    the table allows no second row. The load column is the same in all rows of a load."""
    found = [
        OnceOnly((name,), "duplicate_value") for name, source in feed.fact.columns.items() if source.unique
    ]
    found += mode_of(feed.fact).once_only(feed.fact)
    known = {frozenset(once.columns) for once in found}
    for index in unique_indexes(connection, fact):
        columns = index.columns - {feed.fact.load_column}
        if columns and columns not in known and columns <= feed.fact.columns.keys():
            known.add(columns)
            in_order = tuple(name for name in feed.fact.columns if name in columns)
            found.append(OnceOnly(in_order, "not_unique", index.nulls_are_equal))
    return found


def with_a_value(feed: Feed, fact: Table) -> Feed:
    """The feed, where a blank cell makes its row a reject also in the columns that the table has as NOT NULL."""
    columns = {
        name: source.model_copy(update={"required": True})
        if source.column is not None and not fact.c[name].nullable
        else source
        for name, source in feed.fact.columns.items()
    }
    return feed.model_copy(update={"fact": feed.fact.model_copy(update={"columns": columns})})
