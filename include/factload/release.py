"""A held load, published on the word of a person."""

from __future__ import annotations

from datetime import date

from factload.feed.model import Feed
from factload.ledger.opening import newest_load
from factload.load import Load
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.steps import clean_staging, publish_load, release_load


def publish_held(feed: Feed, period: date, *, reason: str, by: str, database: str) -> Load:
    """Publish what is staged of a load that is held because too many of its rows were rejected.

    Who, why and when stay in the ledger. Cut short, it goes on when it is called again. Raises what
    ``release_load`` and ``publish_load`` raise.
    """
    feed = feed.at(period)
    with database_errors("reading the ledger"), engine_for(database).connect() as connection:
        load = newest_load(connection, feed.load_id(period))
    release_load(load, feed, reason=reason, by=by, database=database)
    publish_load(load, feed, database=database)
    clean_staging(load, feed, database=database)
    return load
