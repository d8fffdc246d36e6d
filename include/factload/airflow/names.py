"""Names that DAGs and the Loads page both use: what one writes, the other looks for."""

from __future__ import annotations

DAG_PREFIX = "load_"
VERIFY_DAG = "verify_feeds"
TAG = "factload"  # of every DAG of factload's
OPEN_TASK = "open_load"
RELEASE_TASK = "release"  # waits for a person, in feeds with `run.approval`
LOAD_TAB = "load-of-run"  # the route of the page's tab of a run
SHORTEST_REASON = 3  # of characters: why a held load is published

# What a task notes for the page, as an XCom of this key: why it ended, what it waits for, what was decided
ERROR, WAITS, SKIPPED, REPORT, DECISION = "error", "waits", "skipped", "report", "decision"


def dag_id_of(feed: str) -> str:
    """The DAG of the feed of this name."""
    return DAG_PREFIX + feed
