"""The staging table of a load that is published by exchange: the partition to come.

It has the fact table's columns, with their types, defaults, CHECK constraints and generated values, and two columns of
its own that go before it becomes a partition. Indexes and foreign keys wait until the rows are in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal
from sqlalchemy import Table, inspect, text
from sqlalchemy.engine import Connection

from factload.fact.constants import period_value
from factload.fact.exchange.bounds import Value
from factload.fact.exchange.parent import Parent, Partition, parent_of, shape_of
from factload.fact.load_column import load_key
from factload.fact.relation import relation_of
from factload.fact.resolve import ROW
from factload.fact.staging_table import SLICE, staging_of_types
from factload.feed.model import Feed
from factload.ledger.tables import STAGING_SCHEMA
from factload.load import Load
from factload.postgres.statements import as_text, run, table_name
from factload.postgres.types import column_type

BOUND = "factload_bound"
"""The CHECK constraint that says whose rows they are: of this load, within the partition's bound. So ATTACH need not
read them."""

OWN = (SLICE, ROW, BOUND)

# What a partition has of its own, and so is given to it: comments and extended statistics are not.
_INCLUDING = (
    "INCLUDING COMPRESSION INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE"
)
_IDENTITIES = text("""
    SELECT attname, pg_get_serial_sequence(:table, attname) AS sequence FROM pg_catalog.pg_attribute
    WHERE attrelid = :oid AND attidentity <> '' AND NOT attisdropped
""")
_STORAGE = text("""
    SELECT m.amname, s.spcname, c.reloptions, t.reloptions
    FROM pg_catalog.pg_class c
    LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
    LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
    LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
    WHERE c.oid = :oid
""")


def staging_table(load: Load, feed: Feed, fact: Table) -> Table:
    """This load's staging table as every mode has it; but its columns are the fact table's own, labels of enums too."""
    return staging_of_types(load, {name: fact.c[name].type for name in feed.fact.columns})


def bound_value(parent: Parent, load_id: str, period: date, feed: Feed, fact: Table) -> Value:
    """What the column that the fact table is partitioned by holds in every row of the load."""
    column = fact.c[parent.key or ""]
    if parent.key == feed.fact.load_column:
        return load_key(column, load_id)
    form = feed.fact.columns[column.name].period or ""
    value = period_value(form, column_type(column.type), period)
    if value is None:  # ``constant_defects`` has refused such a column
        raise TypeError(f"{column.name} holds no period")
    return value


def make_staging(connection: Connection, load: Load, feed: Feed, fact: Table, staging: Table) -> bool:
    """Create the staging table unless it is there as the fact table is now; whether it was created."""
    parent = parent_of(connection, fact)
    if inspect(connection).has_table(staging.name, schema=staging.schema):
        oid = relation_of(connection, staging).oid
        if shape_of(connection, oid, without=OWN) == shape_of(connection, parent.oid):
            return False
        staging.drop(connection)
    value = bound_value(parent, load.load_id, load.period_date, feed, fact)
    load_column = fact.c[feed.fact.load_column or ""]
    own = {parent.key or "": value, load_column.name: load_key(load_column, load.load_id)}
    _create(connection, parent, staging, own, parent.partition_of(connection, value))
    for column, default in _defaults(connection, parent, load, feed, fact):
        run(
            connection,
            "ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}",
            name_of(staging),
            Identifier(column),
            default,
        )
    return True


def name_of(staging: Table) -> Identifier:
    """The staging table's name, for statements."""
    return table_name(staging.schema or STAGING_SCHEMA, staging.name)


def identities_of(connection: Connection, parent: Parent) -> dict[str, str]:
    """Identity column → the sequence that its numbers come from. A partition has no identity of its own."""
    found = connection.execute(
        _IDENTITIES, {"oid": parent.oid, "table": as_text(connection, parent.identifier)}
    )
    return {row.attname: row.sequence for row in found}


def _create(
    connection: Connection, parent: Parent, staging: Table, own: Mapping[str, Value], old: Partition | None
) -> None:
    """``own``: the columns that have one value in all rows of the load, and no other."""
    run(
        connection,
        "CREATE TABLE {} (LIKE {} {}, {} bigint NOT NULL, {} integer NOT NULL, CONSTRAINT {} CHECK ({})){}",
        name_of(staging),
        parent.identifier,
        SQL(_INCLUDING),
        Identifier(SLICE),
        Identifier(ROW),
        Identifier(BOUND),
        holds_alone(own),
        Composed(_storage(connection, old.oid if old else parent.oid)),
    )


def holds_alone(own: Mapping[str, Value]) -> Composable:
    """The condition of the CHECK constraint ``BOUND``, for columns that have one value in all rows."""
    conditions = (
        SQL("{} IS NOT NULL AND {} = {}").format(Identifier(name), Identifier(name), Literal(str(value)))
        for name, value in own.items()
    )
    return SQL(" AND ").join(conditions)


def _storage(connection: Connection, oid: int) -> Iterator[Composable]:
    """Where and how the table is stored: as the partition before it, or as the parent says of new ones."""
    method, tablespace, options, of_toast = connection.execute(_STORAGE, {"oid": oid}).one()
    if method:
        yield SQL(" USING {}").format(Identifier(method))
    named = [(Identifier(name), value) for name, value in map(_option, options or ())]
    named += [(Identifier("toast", name), value) for name, value in map(_option, of_toast or ())]
    if named:
        yield SQL(" WITH ({})").format(
            SQL(", ").join(SQL("{} = {}").format(name, Literal(value)) for name, value in named)
        )
    if tablespace:
        yield SQL(" TABLESPACE {}").format(Identifier(tablespace))


def _option(said: str) -> tuple[str, str]:
    name, _, value = said.partition("=")
    return name, value


def _defaults(
    connection: Connection, parent: Parent, load: Load, feed: Feed, fact: Table
) -> Iterator[tuple[str, Composable]]:
    """What fills the columns that no statement names: the load's identity, and numbers of the parent's sequences."""
    load_column = feed.fact.load_column or ""
    yield load_column, Literal(str(load_key(fact.c[load_column], load.load_id)))
    for column, sequence in identities_of(connection, parent).items():
        if column not in feed.fact.columns:
            yield column, SQL("nextval({})").format(Literal(sequence))
