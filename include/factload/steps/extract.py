"""``extract_dimension_map``: a dimension, frozen in a staging file."""

from __future__ import annotations

from factload.dimension import extract
from factload.feed.model import Feed
from factload.ledger import ledger
from factload.load import DimensionMap, Load
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import step
from factload.staging.store import place_of


@again_after_conflict
def extract_dimension_map(load: Load, feed: Feed, dimension: str, *, database: str) -> DimensionMap:
    """Freeze one dimension in a staging file."""
    with step(load, feed, "extract_dimension_map", dimension, database) as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        if ledger.fence(snapshot, load, *ledger.UNFINISHED, "published") == "published":
            return DimensionMap(dimension, path="", sha256="", rows=0)  # nobody reads it any more
        return extract.extract_dimension_map(snapshot, dimension, feed.dimensions[dimension], place_of(load))
