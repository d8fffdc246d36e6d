"""One database: does it answer, its version, its clock, its ledger, and whether its tables fit the feeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import column, func, select, table
from sqlalchemy.engine import Connection

from factload.dimension.table import check_dimensions
from factload.doctor import left_behind, rights
from factload.doctor.clock import compared
from factload.doctor.finding import Finding
from factload.errors import FactloadError, TransientError
from factload.fact.modes.registry import mode_of
from factload.fact.table import fact_table
from factload.feed.model import Feed
from factload.ledger.migrations import VERSION, installed_version
from factload.ledger.tables import LEDGER_SCHEMA
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.postgres.server import is_pooled

CLOCK_WARNING = timedelta(seconds=2)
CLOCK_PROBLEM = timedelta(minutes=1)

_setting = table("pg_settings", column("name"), column("reset_val"), schema="pg_catalog")


def database_findings(name: str, url: str, feeds: Sequence[Feed]) -> list[Finding]:
    """The findings about the database called ``name``, and whether its tables fit ``feeds``."""
    findings: list[Finding] = []
    engine = engine_for(url).execution_options(postgresql_readonly=True)
    try:
        with database_errors("connecting"), engine.connect() as connection:
            findings.append(_server(connection, name))
            findings += _writable(connection, name)
            findings += _durable(connection, name)
            findings += _encoding(connection, name)
            findings += rights.of_comparison(connection, name)
            findings.append(_clock(connection, name))
            connection.rollback()
            findings += _ledger(connection, name)
            for feed in feeds:
                findings += _feed(connection, feed)
    except FactloadError as error:
        findings.append(Finding.of("database", name, error))
    return findings


def _server(connection: Connection, name: str) -> Finding:
    version = int((connection.dialect.server_version_info or (0,))[0])
    asked = select(func.current_user(), func.current_database(), func.pg_backend_pid())
    user, database, backend = connection.execute(asked).one()
    way = ", through a pooler" if is_pooled(connection.connection.dbapi_connection, backend) else ""
    return Finding.ok(
        "database", name, f"PostgreSQL {version} answers{way}; user {user}, database {database}"
    )


def _writable(connection: Connection, name: str) -> Iterator[Finding]:
    """A problem where the database takes no changes. Of the server's own settings: this connection asked to read."""
    standby, read_only = connection.execute(
        select(
            func.pg_is_in_recovery(),
            select(_setting.c.reset_val)
            .where(_setting.c.name == "default_transaction_read_only")
            .scalar_subquery(),
        )
    ).one()
    if standby:
        seen, remedy = "the server is a standby", "Let the connection's URL name the primary"
    elif read_only == "on":
        seen = "default_transaction_read_only is on"
        remedy = "Reset it for the connection's user or database: `ALTER ROLE … RESET default_transaction_read_only`"
    else:
        return
    yield Finding.problem(
        "database", name, f"{seen}: it takes no changes", remedy, TransientError.exit_status
    )


def _durable(connection: Connection, name: str) -> Iterator[Finding]:
    """A warning where a COMMIT is acknowledged before it is on a disk."""
    if connection.scalar(select(func.current_setting("synchronous_commit"))) == "off":
        yield Finding.warning(
            "database",
            name,
            "synchronous_commit is off: a load that was called published can be gone after a crash",
            "Set it for the connection's user: `ALTER ROLE … SET synchronous_commit = on`",
        )


def _encoding(connection: Connection, name: str) -> Iterator[Finding]:
    """A warning where the database can't hold every text."""
    encoding = connection.scalar(select(func.getdatabaseencoding()))
    if encoding != "UTF8":
        lacks = "checks no text" if encoding == "SQL_ASCII" else "can't hold every character"
        yield Finding.warning(
            "database",
            name,
            f"the database's encoding is {encoding}, which {lacks}",
            "A load with such a text is refused; a database of encoding UTF8 holds them all",
        )


def _clock(connection: Connection, name: str) -> Finding:
    before = datetime.now(UTC)
    there = connection.scalar(select(func.clock_timestamp()))
    return clock_finding(name, before, there or before, datetime.now(UTC))


def clock_finding(name: str, before: datetime, there: datetime, after: datetime) -> Finding:
    """How far the database's clock, read as ``there`` between ``before`` and ``after`` (all aware), is off."""
    off, seen = compared("database", before, there, after)
    if off <= CLOCK_WARNING:
        return Finding.ok("clock", name, "the database's clock and this machine's agree")
    remedy = (
        "Let both follow NTP: `missing: wait`, the default period and the times of steps go by these clocks"
    )
    if off <= CLOCK_PROBLEM:
        return Finding.warning("clock", name, seen, remedy)
    return Finding.problem("clock", name, seen, remedy)


def _ledger(connection: Connection, name: str) -> Iterator[Finding]:
    """Its rights and version; what loads left behind, where that can be read."""
    with database_errors("looking at the ledger"), connection.begin():
        lacking = rights.of_ledger(connection, name)
        yield lacking
        if lacking.state != "ok":
            return
        version = installed_version(connection)
        yield _version(name, version)
        if version == VERSION:
            yield from left_behind.findings(connection, name)


def _version(name: str, version: int | None) -> Finding:
    if version is None:
        return Finding.ok("ledger", name, f"none yet: the first load makes it (schema {LEDGER_SCHEMA})")
    seen = f"the ledger in schema {LEDGER_SCHEMA} has version {version}"
    if version > VERSION:
        remedy = "Use the factload that made it, or a newer one"
        return Finding.problem("ledger", name, f"{seen}; expected {VERSION} or older", remedy)
    if version < VERSION:
        remedy = "Nothing to do: the next load migrates it, and keeps what is in it"
        return Finding.warning("ledger", name, f"{seen}, this factload's is {VERSION}", remedy)
    return Finding.ok("ledger", name, seen)


def _feed(connection: Connection, feed: Feed) -> Iterator[Finding]:
    """Rights on the feed's tables, whether they have the shape that it asks for, and whether a
    load finds its rows fast."""
    with database_errors(f"looking at the tables of {feed.feed}"), connection.begin():
        for lacking in rights.of_feed(connection, feed):
            yield lacking
            if lacking.state != "ok":
                return
        try:
            fact = fact_table(connection, feed)
            check_dimensions(connection, feed)
        except FactloadError as error:
            yield Finding.of("tables", feed.feed, error)
        else:
            tables = [feed.fact.table, *(dimension.table for dimension in feed.dimensions.values())]
            yield Finding.ok("tables", feed.feed, f"{', '.join(dict.fromkeys(tables))} fit the feed")
            for advice in mode_of(feed.fact).advice_on(connection, feed, fact):
                yield Finding.warning(advice.about, feed.feed, advice.seen, advice.remedy)
