"""The feeds behind the DAGs: what the page may show is decided by the DAG, what it shows by the feed file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from factload.airflow.names import dag_id_of
from factload.errors import FeedError
from factload.feed.file import feed_files, read_feed_file
from factload.feed.model import Feed


@dataclass(frozen=True, slots=True)
class KnownFeed:
    """A feed file: the feed in it, or what is wrong with it."""

    name: str
    feed: Feed | None
    defect: str | None

    @property
    def dag_id(self) -> str:
        """The feed's DAG."""
        return dag_id_of(self.name)


def feeds_of(dag_ids: Collection[str]) -> list[KnownFeed]:
    """The feeds whose DAGs are among ``dag_ids``, by name."""
    known = [_known(path, _stamp(path)) for path in feed_files() if dag_id_of(path.stem) in dag_ids]
    return sorted(known, key=lambda feed: feed.name)


def feed_of(dag_id: str) -> Feed | None:
    """The feed of one DAG; ``None`` for a DAG that loads none. Raises ``FeedError`` for a defective file."""
    for known in feeds_of([dag_id]):
        if known.feed is None:
            raise FeedError("feed_invalid", known.defect or "")
        return known.feed
    return None


def zone_of(feed: Feed) -> ZoneInfo:
    """The time zone of the feed's DAG: of its schedule, and of the day that a run is for."""
    return ZoneInfo(feed.run.timezone)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:  # a link that leads nowhere: reading the file says so
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=1024)
def _known(path: Path, stamp: tuple[int, int]) -> KnownFeed:
    """One file, read again when its stamp has changed."""
    try:
        return KnownFeed(path.stem, read_feed_file(path), None)
    except FeedError as error:
        return KnownFeed(path.stem, None, str(error))
