"""Which load each version of a member begins with: it ends when that load says so no more.

A version that no load of the feed made has no row, but where a load took its place at the very moment it began.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, and_, insert, select
from sqlalchemy.engine import Connection

from factload.ledger.tables import kept, loads, member_versions
from factload.load import Load


def record_versions(connection: Connection, load: Load, dimension: str, surrogates: Sequence[str]) -> None:
    """Note that these versions begin with what the load says."""
    if surrogates:
        rows = [
            {"load_id": load.load_id, "dimension": dimension, "surrogate": surrogate}
            for surrogate in surrogates
        ]
        connection.execute(insert(member_versions), rows)


def owners(feed: str, dimension: str) -> Select[tuple[str, str, object, bool, str | None]]:
    """Of each version that a load of the feed made, or whose place it took: ``surrogate``, ``load_id``, ``period``,
    ``published`` (readers see rows of that load, which say so) and ``began``."""
    published = and_(loads.c.published_epoch.is_not(None), ~member_versions.c.unsaid)
    return (
        select(
            member_versions.c.surrogate,
            loads.c.load_id,
            loads.c.period,
            published.label("published"),
            member_versions.c.began,
        )
        .join(loads, loads.c.load_id == member_versions.c.load_id)
        .where(loads.c.feed == feed, member_versions.c.dimension == dimension)
    )


def kept_of_others(connection: Connection, load: Load) -> list[str]:
    """The tables, in the staging schema, of the rows that are kept to come back for other loads of the feed."""
    found = (
        select(kept.c.table_name)
        .join(loads, loads.c.load_id == kept.c.load_id)
        .where(loads.c.feed == load.feed, loads.c.load_id != load.load_id)
        .order_by(kept.c.table_name)
    )
    return list(connection.scalars(found))
