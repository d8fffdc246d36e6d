"""What publishing a load would change whose rows are staged and proved, and not published."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from sqlalchemy import inspect, select
from sqlalchemy.engine import Connection

from factload.diff.cells import origins
from factload.diff.compare import compare
from factload.diff.difference import Difference
from factload.diff.staged import Staged
from factload.errors import FeedError
from factload.fact.staged import staging_of
from factload.feed.model import Feed
from factload.ledger import ledger
from factload.ledger.conditions import NEWEST_ATTEMPT
from factload.ledger.opening import newest_load
from factload.ledger.tables import STAGING_SCHEMA, attempts, loads
from factload.load import Load

_STAGED = ("reconciled", "held")


def staged_load(connection: Connection, load_id: str) -> Load | None:
    """The newest attempt at a load, where all its rows are staged and proved, and not published."""
    try:
        load = newest_load(connection, load_id)
    except FeedError:
        return None
    there = inspect(connection).has_table(load.staging_table, schema=STAGING_SCHEMA)
    return load if there and ledger.attempt(connection, load).state in _STAGED else None


def staged_among(connection: Connection, load_ids: Collection[str]) -> set[str]:
    """Those of many loads that ``staged_load`` finds, in two queries for all of them."""
    if not load_ids:
        return set()
    query = (
        select(loads.c.load_id, attempts.c.content)
        .join(attempts, NEWEST_ATTEMPT)
        .where(loads.c.load_id.in_(load_ids), attempts.c.state.in_(_STAGED))
    )
    tables = {Load.staging_table_of(*row): row.load_id for row in connection.execute(query)}
    there = inspect(connection).get_table_names(schema=STAGING_SCHEMA)
    return {tables[name] for name in tables.keys() & there}


def difference_of(connection: Connection, load: Load, feed: Feed) -> Difference:
    """What publishing the staged rows of the load would change, in the caller's transaction."""
    attempt = ledger.attempt(connection, load)
    staged = Staged(
        load_id=load.load_id,
        period=load.period,
        workbooks=tuple(source.path for source in load.sources),
        state=attempt.state,
        held=attempt.error_message or "" if attempt.state == "held" else "",
        table=staging_of(connection, load, feed),
        origins=partial(origins, connection, load, feed),
    )
    return compare(connection, feed, staged)
