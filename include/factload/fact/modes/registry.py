"""Which mode goes by a name: the module of that name in this room, for each name that a feed file may write."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from factload.errors import FeedError
from factload.fact.modes.mode import PublishingMode
from factload.feed.fact import Fact
from factload.feed.mode import MODES

# By name, so that ``feed.mode`` alone lists the modes: it is below this room, and knows no database.
_BY_NAME: Mapping[str, PublishingMode] = {
    name: import_module(f"factload.fact.modes.{name}").MODE for name in MODES
}


def mode_of(fact: Fact) -> PublishingMode:
    """The mode that the feed names."""
    return _BY_NAME[fact.mode.kind]


def mode_named(name: str) -> PublishingMode:
    """The mode that an earlier publication had; raises ``FeedError`` for one that this factload doesn't have."""
    if name not in _BY_NAME:
        raise FeedError(
            "mode_unknown",
            f"the load was published in mode {name}, which this factload does not have",
            expected=", ".join(_BY_NAME),
            remedy="Run the factload that published it, or a newer one",
        )
    return _BY_NAME[name]
