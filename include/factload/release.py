"""A held load, published on the word of a person."""

from __future__ import annotations

from datetime import date

from factload.errors import FeedError
from factload.feed.model import Feed
from factload.ledger.opening import newest_load
from factload.load import Load
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.steps import clean_staging, publish_load, release_load


def publish_held(feed: Feed, period: date, *, reason: str, by: str, database: str) -> Load:
    """Publish what is staged of a load that is held because too many of its rows were rejected.

    Who, why and when stay in the ledger. Cut short, it goes on when it is called again. Raises what
    ``open_release`` and ``publish_load`` raise.
    """
    feed = feed.at(period)
    load = open_release(feed, period, reason=reason, by=by, database=database)
    publish_load(load, feed, database=database)
    clean_staging(load, feed, database=database)
    return load


def open_release(
    feed: Feed, period: date, *, reason: str, by: str, database: str, attempt: int | None = None
) -> Load:
    """Release a load that is held: what is staged of it may be published then, as it is.

    ``attempt``: the number of the attempt that the person has looked at. Raises ``FeedError`` ``attempt_not_newest``
    where another one is the newest by now, and what ``release_load`` raises.
    """
    feed = feed.at(period)
    with database_errors("reading the ledger"), engine_for(database).connect() as connection:
        load = newest_load(connection, feed.load_id(period))
    if attempt is not None and attempt != load.epoch:
        raise FeedError(
            "attempt_not_newest",
            f"the newest attempt at {load.load_id} is {load.epoch}, and attempt {attempt} was to be released",
            remedy="Look at what the newest one would publish, then decide anew",
        )
    release_load(load, feed, reason=reason, by=by, database=database)
    return load
