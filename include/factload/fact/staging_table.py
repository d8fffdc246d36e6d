"""The staging table that a load's rows wait in, as every mode has it that inserts them into the fact table."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Enum, Integer, MetaData, Table, Text, inspect
from sqlalchemy.engine import Connection

from factload.fact.resolve import ROW
from factload.feed.model import Feed
from factload.ledger.tables import STAGING_SCHEMA
from factload.load import Load

SLICE = "factload_slice"


def staging_table(load: Load, feed: Feed, fact: Table) -> Table:
    """This load's staging table: the fact table's columns, and which partition and row each row came from."""
    return Table(
        load.staging_table,
        MetaData(schema=STAGING_SCHEMA),
        Column(SLICE, BigInteger, nullable=False),
        Column(ROW, Integer, nullable=False),
        # The labels of an enum are checked as they go into the fact table.
        *(
            Column(name, Text() if isinstance(fact.c[name].type, Enum) else fact.c[name].type)
            for name in feed.fact.columns
        ),
    )


def make_staging(connection: Connection, load: Load, feed: Feed, fact: Table, staging: Table) -> bool:
    """Create the table unless it is there; whether it was created."""
    if inspect(connection).has_table(staging.name, schema=staging.schema):
        return False
    staging.create(connection)
    return True
