"""What the commands share: options, the databases they mean, and the line that says why one failed."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from typing import TYPE_CHECKING

from factload.errors import FactloadError, FeedError
from factload.printable import printable

if TYPE_CHECKING:
    from factload.feed.model import Feed

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def say(error: FactloadError) -> int:
    """Print why a command failed, in one line on standard error; returns its exit status."""
    print(printable(f"factload: {error}"), file=sys.stderr)
    return error.exit_status


def add_load_options(parser: argparse.ArgumentParser) -> None:
    """FEED, --workbook, --period and what ``add_output_options`` adds."""
    parser.add_argument("feed", metavar="FEED", help="a name in include/feeds, or a feed file's path")
    parser.add_argument(
        "--workbook", metavar="F", help="this workbook, or all that match this pattern, instead of the feed's"
    )
    parser.add_argument(
        "--period",
        metavar="P",
        type=day,
        default=None,
        help="the business date, YYYY-MM-DD; default: today",
    )
    add_output_options(parser)


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """--url and --json."""
    parser.add_argument("--url", metavar="DB", help="the database, instead of the feed's connection")
    parser.add_argument("--json", action="store_true", help="print JSON alone")


def add_load_argument(parser: argparse.ArgumentParser) -> None:
    """LOAD and --feed."""
    parser.add_argument("load", metavar="LOAD", help="a load's identity, such as sales@2026-11-05")
    parser.add_argument("--feed", metavar="FEED", help="its feed's file, if it is not in include/feeds")


def day(text: str) -> date:
    """A date as options have it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-11-05") from None


def feed_of_load(options: argparse.Namespace) -> Feed:
    """The feed of ``options.load``: --feed, or the one that the load is named after."""
    from factload.feed.file import read_feed

    return read_feed(getattr(options, "feed", None) or options.load.partition("@")[0])


def url_for_load(options: argparse.Namespace) -> str:
    """The database that holds ``options.load``: --url, or its feed's connection."""
    from factload.settings import connection_url

    return options.url or connection_url(feed_of_load(options).fact.connection)


def databases(options: argparse.Namespace) -> tuple[list[str], list[FactloadError]]:
    """The databases to ask for ``options.feed``, or for all feeds; and why some feeds have none to be asked.

    Without any feed file those that the environment names are asked. Raises ``FeedError`` when there are none.
    """
    from factload.feed.file import feed_files, read_feed
    from factload.settings import connection_url, named_connections, settings

    if options.url:
        return [options.url], []
    names = [options.feed] if options.feed else [str(path) for path in feed_files()]
    found: set[str] = set()
    errors: list[FactloadError] = []
    for name in names:
        try:
            found.add(connection_url(read_feed(name).fact.connection))
        except FactloadError as error:
            errors.append(error)
    if not names:
        found.update(named_connections().values())
    if not found and not errors:
        raise FeedError(
            "database_unnamed",
            f"there is no feed file in {settings().feeds}, so no database to ask",
            expected="a feed file there, or the URL of a database in FACTLOAD_CONN_WAREHOUSE",
            remedy="Name the database with --url, or the folder of feed files with FACTLOAD_FEEDS",
        )
    return sorted(found), errors
