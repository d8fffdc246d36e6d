"""The feeds that become DAGs, and those that can't."""

from __future__ import annotations

from contextlib import suppress

from factload.errors import FeedError
from factload.feed.file import feed_files, read_feed_file
from factload.feed.model import Feed
from factload.settings import wrong_settings


def readable_feeds() -> list[Feed]:
    """Every feed in the feeds folder whose file is right. Reads YAML, and nothing else."""
    return [feed for feed, _ in _read() if feed is not None]


def require_all_readable() -> None:
    """Raise ``FeedError`` that names every setting that is wrong, and every defect of every feed file with its line."""
    defects = [str(error) for error in wrong_settings()]
    with suppress(FeedError):  # without the folder's name no feed is read; why is among the settings' errors
        defects += [str(error) for _, error in _read() if error is not None]
    if defects:
        raise FeedError("feed_invalid", "\n".join(defects))


def _read() -> list[tuple[Feed | None, FeedError | None]]:
    found: list[tuple[Feed | None, FeedError | None]] = []
    seen: dict[str, str] = {}
    for path in feed_files():
        try:
            feed = read_feed_file(path)
            if feed.feed != path.stem:
                raise FeedError(
                    "feed_name",
                    f"{path}:1: feed: is {feed.feed}, and the file is {path.name}",
                    remedy=f"Name the file {feed.feed}.yaml, or the feed {path.stem}",
                )
            if feed.feed in seen:
                raise FeedError("feed_twice", f"{path}:1: feed: {feed.feed} is also in {seen[feed.feed]}")
        except FeedError as error:
            found.append((None, error))
        else:
            seen[feed.feed] = str(path)
            found.append((feed, None))
    return found
