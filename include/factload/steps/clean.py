"""``clean_staging``: what a published load needs no more is removed."""

from __future__ import annotations

from factload.feed.model import Feed
from factload.ledger import ledger
from factload.load import Load
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import step
from factload.staging import orphaned
from factload.staging.folders import folder_of, remove_folders


@again_after_conflict
def clean_staging(load: Load, feed: Feed, *, database: str) -> None:
    """Remove what the load and its earlier attempts left in the staging schema and folder; only once published."""
    with step(load, feed, "clean_staging", "", database) as connection, connection.begin():
        ledger.fence(connection, load, "published", lock="update")
        orphaned.drop_tables(connection, load.load_id)
    remove_folders(folder_of(load).parent, below=load.epoch + 1)
