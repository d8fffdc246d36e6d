"""`factload doctor`: whether a load would find what it needs here, and what to do where it would not.

Reads only, but for an object that it writes into a staging store and deletes again.

Settings, feed files, where staging lies (``staging``), the roots that have a URL (``stores``), then each database that
feeds name (``database``): does it answer, its version and ``clock``, its ledger, what its user may do (``rights``),
what loads left in it (``left_behind``).
"""

from __future__ import annotations

from collections.abc import Sequence

from factload.doctor.database import database_findings
from factload.doctor.finding import Finding
from factload.doctor.staging import staging_place
from factload.doctor.stores import store_findings
from factload.errors import FactloadError
from factload.feed.file import feed_files, read_feed
from factload.feed.model import Feed
from factload.postgres.database import engine_for
from factload.postgres.url import shown
from factload.settings import connection_url, settings, wrong_settings

__all__ = ["Finding", "examine", "exit_status"]


def examine(database: str | None = None) -> list[Finding]:
    """Everything that was looked at, in the order of a load. ``database``: the URL to use for every feed."""
    if wrong := [Finding.of("setting", "environment", error) for error in wrong_settings()]:
        return wrong  # they decide where all else is looked for
    feeds, findings = _feeds()
    findings += staging_place()
    findings += store_findings()
    for name, url, its_feeds in _databases(feeds, database, findings):
        findings += database_findings(name, url, its_feeds)
    return findings


def exit_status(findings: Sequence[Finding]) -> int:
    """0 without a problem; 4 when a database can't be reached, 2 for all other problems."""
    return max((finding.exit_status for finding in findings), default=0)


def _feeds() -> tuple[list[Feed], list[Finding]]:
    feeds, findings = [], []
    for path in feed_files():
        try:
            feeds.append(read_feed(str(path)))
        except FactloadError as error:
            findings.append(Finding.of("feed file", path.stem, error))
        else:
            findings.append(Finding.ok("feed file", path.stem, str(path)))
    if not findings:
        place = str(settings().feeds)
        remedy = "Write one: `factload init WORKBOOK` proposes it; or set FACTLOAD_FEEDS"
        findings.append(Finding.warning("feed file", place, "there are no feed files", remedy))
    return feeds, findings


def _databases(
    feeds: Sequence[Feed], database: str | None, findings: list[Finding]
) -> list[tuple[str, str, list[Feed]]]:
    """Name, URL and feeds of each database; a connection that nobody knows goes into ``findings``."""
    if database is not None:
        return [(shown(database), database, list(feeds))]
    by_connection: dict[str, list[Feed]] = {}
    for feed in feeds:
        by_connection.setdefault(feed.fact.connection, []).append(feed)
    found = []
    for connection, its_feeds in sorted(by_connection.items()):
        try:
            url = connection_url(connection)
            engine_for(url)
        except FactloadError as error:
            findings.append(Finding.of("database", _name(connection), error))
        else:
            name = connection if "://" not in connection else shown(url)
            found.append((name, url, its_feeds))
    return found


def _name(connection: str) -> str:
    """A URL that can't be read may hold a password anywhere."""
    return connection if "://" not in connection else "fact.connection"
