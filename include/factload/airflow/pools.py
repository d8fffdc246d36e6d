"""Warehouse slots: the pool that bounds how many tasks of all feeds and backfills use one warehouse at once."""

from __future__ import annotations

from factload.feed.model import Feed

PREFIX = "factload"


def pool_of(feed: Feed) -> str:
    """The pool of the feed's tasks: its own, else one for everything that uses the same connection."""
    connection = feed.fact.connection
    return feed.run.pool or (f"{PREFIX}_{connection}" if "://" not in connection else PREFIX)
