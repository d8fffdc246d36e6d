"""What the connection's user may do, against what loads do: asked of the catalog, tried by nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, column, func, inspect, or_, select, table
from sqlalchemy.engine import Connection

from factload.database import split_name
from factload.dimension.table import needed_columns
from factload.doctor.finding import Finding
from factload.feed.model import Feed
from factload.ledger.migrations import VERSION
from factload.ledger.tables import LEDGER_SCHEMA, STAGING_SCHEMA, schema_version

_ON_FACTS = {
    "replace": ("SELECT", "INSERT", "DELETE"),
    "append_once": ("SELECT", "INSERT"),
    "upsert": ("SELECT", "INSERT", "UPDATE"),
}
_ON_LEDGER: Mapping[str, tuple[str, ...]] = {
    "schema_version": ("SELECT",),
    "loads": ("SELECT", "INSERT", "UPDATE"),
    "attempts": ("SELECT", "INSERT", "UPDATE"),
    "partitions": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "rejects": ("SELECT", "INSERT", "DELETE"),
    "steps": ("SELECT", "INSERT"),
}
_WHOLE_TABLE_ONLY = ("DELETE",)

_class = table("pg_class", column("oid"), column("relname"), column("relnamespace"), column("relowner"),
               schema="pg_catalog")  # fmt: skip
_namespace = table("pg_namespace", column("oid"), column("nspname"), schema="pg_catalog")
_attribute = table(
    "pg_attribute", column("attrelid"), column("attnum"), column("attname"), schema="pg_catalog"
)


def of_feed(connection: Connection, feed: Feed) -> Iterator[Finding]:
    """Whether the user may read the feed's dimensions and write its facts; nothing is said of a table that isn't
    there."""
    fact = feed.fact
    columns = {*fact.columns, *([fact.load_column] if fact.load_column else [])}
    wanted = _ON_FACTS[fact.mode.kind]
    lacking = {fact.table: _lacking(connection, fact.table, wanted, columns)}
    for name, dimension in feed.dimensions.items():
        rights = ("SELECT", "INSERT") if dimension.unmatched.action == "create" else ("SELECT",)
        lacking[dimension.table] = _lacking(
            connection, dimension.table, rights, needed_columns(name, dimension)
        )
    said = [f"{', '.join(rights)} on {name}" for name, rights in lacking.items() if rights]
    if said:
        yield _missing("rights", feed.feed, connection, said)
    elif all(_relation(connection, name) is not None for name in lacking):
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
    installed = _relation(connection, f"{LEDGER_SCHEMA}.{schema_version.name}") is not None
    if not installed:
        said += _lacking_to_install(connection, schemas)
    for name, rights in _ON_LEDGER.items() if installed and not said else ():
        if lacking := _lacking(connection, f"{LEDGER_SCHEMA}.{name}", rights, ()):
            said.append(f"{', '.join(lacking)} on {LEDGER_SCHEMA}.{name}")
    if installed and not said:
        said = _lacking_to_migrate(connection)
    if said:
        return _missing("ledger rights", about, connection, said)
    return Finding.ok("ledger rights", about, "may be written" if installed else "may be made")


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
    found = _relation(connection, f"{LEDGER_SCHEMA}.loads")
    owner = found.relowner if found is not None else 0
    if connection.scalar(select(func.pg_has_role(owner, "USAGE"))):
        return []
    name = connection.scalar(select(func.pg_get_userbyid(owner)))
    return [f"the role of the ledger's owner {name}, who alone can migrate it"]


def _missing(check: str, about: str, connection: Connection, said: list[str]) -> Finding:
    user = connection.scalar(select(func.current_user()))
    return Finding.problem(check, about, f"user {user} lacks {'; '.join(said)}", f"GRANT it to {user}")


def _relation(connection: Connection, name: str) -> Row[Any, Any, Any] | None:
    """The table's oid, owner and schema; ``None`` when there is none that the user would find."""
    schema, relation = split_name(name)
    where = _namespace.c.nspname == schema if schema else func.pg_table_is_visible(_class.c.oid)
    return connection.execute(
        select(_class.c.oid, _class.c.relowner, _namespace.c.nspname)
        .join(_namespace, _namespace.c.oid == _class.c.relnamespace)
        .where(_class.c.relname == relation, where)
    ).one_or_none()


def _lacking(
    connection: Connection, name: str, rights: Collection[str], columns: Collection[str]
) -> list[str]:
    """Those of ``rights`` that the user has neither on the table nor on each of ``columns``."""
    found = _relation(connection, name)
    if found is None:
        return []
    if not connection.scalar(select(func.has_schema_privilege(found.nspname, "USAGE"))):
        return [f"USAGE on schema {found.nspname}, and so {', '.join(rights)}"]
    asked: dict[str, ColumnElement[bool]] = {
        right: func.has_table_privilege(found.oid, right) for right in rights
    }
    for right in set(rights) - set(_WHOLE_TABLE_ONLY):
        on_columns = (
            select(func.bool_and(func.has_column_privilege(found.oid, _attribute.c.attnum, right)))
            .where(_attribute.c.attrelid == found.oid, _attribute.c.attname.in_(columns))
            .scalar_subquery()
        )
        asked[right] = or_(asked[right], func.coalesce(on_columns, False))
    granted = connection.execute(select(*asked.values())).one()
    return [right for right, may in zip(asked, granted, strict=True) if not may]
