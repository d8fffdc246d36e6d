"""The rights of the connection's user, compared with what loads need. From has_*_privilege(): no trial writes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import func, inspect, select
from sqlalchemy.engine import Connection

from factload.doctor.finding import Finding
from factload.fact.modes.registry import mode_of
from factload.fact.rights import lacking, lacking_of_feed, relation, tables_of
from factload.feed.model import Feed
from factload.ledger.migrations import VERSION
from factload.ledger.tables import LEDGER_SCHEMA, STAGING_SCHEMA, schema_version

_ON_LEDGER: Mapping[str, tuple[str, ...]] = {
    "schema_version": ("SELECT",),
    "loads": ("SELECT", "INSERT", "UPDATE"),
    "attempts": ("SELECT", "INSERT", "UPDATE"),
    "partitions": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "rejects": ("SELECT", "INSERT", "DELETE"),
    "corrections": ("SELECT", "INSERT"),
    "kept": ("SELECT", "INSERT", "DELETE"),
    "steps": ("SELECT", "INSERT"),
}


def of_feed(connection: Connection, feed: Feed) -> Iterator[Finding]:
    """Whether the user may read the feed's dimensions and write its facts; nothing is said of a table that isn't
    there."""
    fact = feed.fact
    said = lacking_of_feed(connection, feed)
    if said:
        yield _missing("rights", feed.feed, connection, said)
    elif all(relation(connection, name) is not None for name in tables_of(feed)):
        wanted = mode_of(fact).rights
        yield Finding.ok("rights", feed.feed, f"{', '.join(wanted)} on {fact.table}; dimensions can be read")


def of_ledger(connection: Connection, about: str) -> Finding:
    """Whether the user may write the ledger, or make it where there is none."""
    schemas = inspect(connection).get_schema_names()
    said = [
        f"{right} on schema {schema}"
        for schema, rights in ((LEDGER_SCHEMA, ("USAGE",)), (STAGING_SCHEMA, ("USAGE", "CREATE")))
        if schema in schemas
        for right in rights
        if not connection.scalar(select(func.has_schema_privilege(schema, right)))
    ]
    installed = relation(connection, f"{LEDGER_SCHEMA}.{schema_version.name}") is not None
    if not installed:
        said += _lacking_to_install(connection, schemas)
    for name, rights in _ON_LEDGER.items() if installed and not said else ():
        if missing := lacking(connection, f"{LEDGER_SCHEMA}.{name}", rights, ()):
            said.append(f"{', '.join(missing)} on {LEDGER_SCHEMA}.{name}")
    if installed and not said:
        said = _lacking_to_migrate(connection)
    if said:
        return _missing("ledger rights", about, connection, said)
    return Finding.ok("ledger rights", about, "may be written" if installed else "may be made")


def of_comparison(connection: Connection, about: str) -> Iterator[Finding]:
    """A warning where the user may not make the temporary tables that rows are compared in."""
    database, user = connection.execute(select(func.current_database(), func.current_user())).one()
    if connection.scalar(select(func.has_database_privilege(database, "TEMPORARY"))):
        return
    quote = connection.dialect.identifier_preparer.quote
    yield Finding.warning(
        "temporary tables",
        about,
        f"user {user} lacks TEMPORARY on database {database}: loads don't need it, but `factload diff` is refused, and "
        "checks, dry runs and the Loads page can't say row by row what publishing would change",
        f"`GRANT TEMPORARY ON DATABASE {quote(database)} TO {quote(user)}`",
    )


def _lacking_to_install(connection: Connection, schemas: Collection[str]) -> list[str]:
    if {LEDGER_SCHEMA, STAGING_SCHEMA} <= set(schemas):
        may = connection.scalar(select(func.has_schema_privilege(LEDGER_SCHEMA, "CREATE")))
        return [] if may else [f"CREATE on schema {LEDGER_SCHEMA}"]
    database = connection.scalar(select(func.current_database()))
    may = connection.scalar(select(func.has_database_privilege(database, "CREATE")))
    return [] if may else [f"CREATE on database {database}"]


def _lacking_to_migrate(connection: Connection) -> list[str]:
    """ALTER TABLE asks for the owner's role."""
    if (connection.scalar(select(schema_version.c.version)) or VERSION) >= VERSION:
        return []
    found = relation(connection, f"{LEDGER_SCHEMA}.loads")
    owner = found.relowner if found is not None else 0
    if connection.scalar(select(func.pg_has_role(owner, "USAGE"))):
        return []
    name = connection.scalar(select(func.pg_get_userbyid(owner)))
    return [f"the role of the ledger's owner {name}, who alone can migrate it"]


def _missing(check: str, about: str, connection: Connection, said: list[str]) -> Finding:
    user = connection.scalar(select(func.current_user()))
    return Finding.problem(check, about, f"user {user} lacks {'; '.join(said)}", f"GRANT it to {user}")
