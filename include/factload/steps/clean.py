"""``clean_staging``: what a published load needs no more is removed."""

from __future__ import annotations

from factload.feed.model import Feed
from factload.ledger import ledger
from factload.load import Load
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import step
from factload.staging import orphaned
from factload.staging.store import delete_older


@again_after_conflict
def clean_staging(load: Load, feed: Feed, *, database: str) -> None:
    """Remove the staging tables and files of the load and its earlier attempts; only once it is published."""
    with step(load, feed, "clean_staging", "", database) as connection, connection.begin():
        ledger.fence(connection, load, "published", lock="update")
        orphaned.drop_tables(connection, load.load_id)
    delete_older(load, published=True)
