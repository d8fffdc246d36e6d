"""The pools that bound how many tasks of all feeds and backfills use one warehouse at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from factload.environment import default_number, number
from factload.errors import FeedError

if TYPE_CHECKING:  # every process of Airflow imports this module, few of them feeds
    from factload.feed.model import Feed

_POOL = "factload"
_SLOTS = "FACTLOAD_WAREHOUSE_SLOTS"


def pool_of(feed: Feed) -> str:
    """The pool of the feed's tasks: its own, else one for everything that uses the same connection."""
    connection = feed.fact.connection
    return feed.run.pool or (f"{_POOL}_{connection}" if "://" not in connection else _POOL)


def slots_of_a_pool() -> tuple[int, FeedError | None]:
    """The slots of a pool that the scheduler makes; what is wrong with the setting, where they are its default."""
    try:
        return number(_SLOTS), None
    except FeedError as error:
        return default_number(_SLOTS), error


def share_of_pool(feed: Feed) -> int | None:
    """How many slots of a pool that the scheduler makes the partitions of one feed may fill: three of four, so that
    another feed always finds one. None where the feed names its own pool, or the slots have no bound.
    """
    slots, _ = slots_of_a_pool()
    return None if feed.run.pool or slots < 1 else max(slots * 3 // 4, 1)
