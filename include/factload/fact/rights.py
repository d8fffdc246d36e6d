"""The rights of the connection's user on the tables of a feed. From has_*_privilege(): no trial writes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, cast, column, func, or_, select, table
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.engine import Connection

from factload.dimension.table import needed_columns
from factload.errors import FeedError
from factload.fact.modes.registry import mode_of
from factload.feed.model import Feed
from factload.postgres.catalog import pg_attribute, pg_class, pg_namespace
from factload.postgres.tables import split_name

_WHOLE_TABLE_ONLY = ("DELETE",)

_default = table("pg_attrdef", column("oid"), column("adrelid"), column("adnum"), schema="pg_catalog")
_depend = table("pg_depend", column("classid"), column("objid"), column("refobjid"), schema="pg_catalog")
_SEQUENCE = "S"


def require_rights(connection: Connection, feed: Feed) -> None:
    """Raise ``FeedError`` unless the user may do with the feed's tables what a load does."""
    if said := lacking_of_feed(connection, feed):
        user = connection.scalar(select(func.current_user()))
        raise FeedError(
            "database_right_missing",
            f"a right is missing: user {user} lacks {'; '.join(said)}",
            remedy="Grant it to the user of the connection",
        )


def tables_of(feed: Feed) -> list[str]:
    """The tables that a load reads or writes."""
    return [feed.fact.table, *(dimension.table for dimension in feed.dimensions.values())]


def lacking_of_feed(connection: Connection, feed: Feed) -> list[str]:
    """The rights that the user lacks, in words. Nothing is said of a table that isn't there."""
    fact = feed.fact
    columns = {*fact.columns, *([fact.load_column] if fact.load_column else [])}
    missing = {fact.table: lacking(connection, fact.table, mode_of(fact).rights, columns)}
    sequences = _sequences(connection, fact.table, columns)
    for name, dimension in feed.dimensions.items():
        makes = dimension.unmatched.action == "create"
        needed = needed_columns(name, dimension)
        found = lacking(connection, dimension.table, ("SELECT", "INSERT") if makes else ("SELECT",), needed)
        if dimension.unmatched.on_change != "keep":
            changed = [*dimension.unmatched.attributes]
            if dimension.as_of is not None:
                changed += [dimension.as_of.valid_from, dimension.as_of.end]
            found += lacking(connection, dimension.table, ("UPDATE",), changed)
        missing[dimension.table] = list(dict.fromkeys([*missing.get(dimension.table, []), *found]))
        if makes:
            sequences += _sequences(connection, dimension.table, set(needed) - {dimension.surrogate_key})
    said = [f"{', '.join(rights)} on {name}" for name, rights in missing.items() if rights]
    return [*said, *(f"USAGE on sequence {name}" for name in dict.fromkeys(sequences))]


def _sequences(connection: Connection, name: str, filled: Collection[str]) -> list[str]:
    """The sequences that the defaults of the other columns take numbers from, and that the user may not use. Those of
    identity columns ask for no right."""
    found = relation(connection, name)
    if found is None:
        return []
    of_defaults = connection.execute(
        select(pg_class.c.oid, cast(cast(pg_class.c.oid, REGCLASS), Text))
        .select_from(_default)
        .join(
            pg_attribute,
            (pg_attribute.c.attrelid == _default.c.adrelid) & (pg_attribute.c.attnum == _default.c.adnum),
        )
        .join(_depend, _depend.c.objid == _default.c.oid)
        .join(pg_class, pg_class.c.oid == _depend.c.refobjid)
        .where(
            _default.c.adrelid == found.oid,
            _depend.c.classid == func.to_regclass("pg_catalog.pg_attrdef"),
            pg_class.c.relkind == _SEQUENCE,
            pg_attribute.c.attname.not_in(filled),
        )
    ).all()
    # Asked one by one: of what is no sequence the function is an error.
    return [
        named
        for oid, named in of_defaults
        if not connection.scalar(select(func.has_sequence_privilege(oid, "USAGE, UPDATE")))
    ]


def relation(connection: Connection, name: str) -> Row[Any, Any, Any] | None:
    """The table's oid, owner and schema; ``None`` when there is none that the user would find."""
    schema, relation = split_name(name)
    where = pg_namespace.c.nspname == schema if schema else func.pg_table_is_visible(pg_class.c.oid)
    return connection.execute(
        select(pg_class.c.oid, pg_class.c.relowner, pg_namespace.c.nspname)
        .join(pg_namespace, pg_namespace.c.oid == pg_class.c.relnamespace)
        .where(pg_class.c.relname == relation, where)
    ).one_or_none()


def lacking(
    connection: Connection, name: str, rights: Collection[str], columns: Collection[str]
) -> list[str]:
    """Those of ``rights`` that the user has neither on the table nor on each of ``columns``."""
    found = relation(connection, name)
    if found is None:
        return []
    if not connection.scalar(select(func.has_schema_privilege(found.nspname, "USAGE"))):
        return [f"USAGE on schema {found.nspname}, and so {', '.join(rights)}"]
    asked: dict[str, ColumnElement[bool]] = {
        right: func.has_table_privilege(found.oid, right) for right in rights
    }
    for right in set(rights) - set(_WHOLE_TABLE_ONLY):
        on_columns = (
            select(func.bool_and(func.has_column_privilege(found.oid, pg_attribute.c.attnum, right)))
            .where(pg_attribute.c.attrelid == found.oid, pg_attribute.c.attname.in_(columns))
            .scalar_subquery()
        )
        asked[right] = or_(asked[right], func.coalesce(on_columns, False))
    granted = connection.execute(select(*asked.values())).one()
    return [right for right, may in zip(asked, granted, strict=True) if not may]
