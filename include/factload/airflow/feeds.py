"""The feeds that become DAGs, and those that can't."""

from __future__ import annotations

from factload.errors import FeedError
from factload.feed.file import feed_files, read_feed_file
from factload.feed.model import Feed
from factload.settings import settings, wrong_settings


def readable_feeds() -> list[Feed]:
    """Every feed in the feeds folder whose file is right. Reads YAML, and nothing else.

    Raises ``FeedError`` when there is no such folder.
    """
    return [feed for feed, _ in _read() if feed is not None]


def check_feeds() -> None:
    """Raise ``FeedError`` that names every setting that is wrong, and every defect of every feed file with its line.

    For a DAG file of its own: Airflow shows what it raises as an import error, and the DAGs of other files go on.
    """
    defects = [str(error) for error in wrong_settings()]
    try:
        defects += [str(error) for _, error in _read() if error is not None]
    except FeedError as error:  # no feed was read: there is no folder, or one of the settings is why
        if str(error) not in defects:
            defects.append(str(error))
    if defects:
        raise FeedError("feed_invalid", "\n".join(defects))


def _read() -> list[tuple[Feed | None, FeedError | None]]:
    folder = settings().feeds
    if not folder.is_dir():
        raise FeedError(
            "feeds_missing",
            f"there is no folder of feed files at {folder}",
            expected="a folder that holds a YAML file for each feed",
            remedy="Make it; or set FACTLOAD_HOME, for all processes of Airflow, to the folder above include/feeds",
        )
    found: list[tuple[Feed | None, FeedError | None]] = []
    seen: dict[str, str] = {}
    for path in feed_files(folder):
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
