"""Rows of a load taken out of the fact table into a table of their own, and brought back from there, exactly: with
every column that the table keeps, those that the feed doesn't fill too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.sql import SQL, Identifier
from sqlalchemy import Table, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateTableAs

from factload.errors import FeedError
from factload.fact.load_column import carries
from factload.fact.relation import relation_of
from factload.feed.model import Feed
from factload.ledger.tables import STAGING_SCHEMA
from factload.load import Load
from factload.postgres.statements import run, table_name

_STORED = text("""
    SELECT attname FROM pg_catalog.pg_attribute
    WHERE attrelid = :oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum
""")


@dataclass(frozen=True, slots=True)
class TakingBack:
    """An undo at work, in its transaction. ``load``: the undo's own attempt; ``standing``: how many rows readers see of
    the load; ``back``: the table with the rows that come back, None where none do; ``aside``: the table that takes the
    rows that stand now, which isn't there yet."""

    connection: Connection
    load: Load
    feed: Feed
    fact: Table
    standing: int
    back: Table | None
    aside: Table

    def require_as_many(self, found: int) -> None:
        """Raise ``FeedError`` unless as many rows stand as were published: what an undo takes out has to come back."""
        if found != self.standing:
            raise facts_altered(
                self.load.load_id,
                f"{found:,} of its rows are in {self.feed.fact.table}, and {self.standing:,} were published",
            )


def facts_altered(load_id: str, differences: str) -> FeedError:
    """That what stands of a load isn't what was published."""
    return FeedError(
        "facts_altered",
        f"{load_id} can't be undone, since somebody else has changed its rows: {differences}",
        expected="the rows as they were published",
        remedy="Nothing was undone. `factload verify` says more of what differs; `factload run` with --reload puts the "
        "rows back as they were published",
    )


def take_out(connection: Connection, feed: Feed, fact: Table, load_id: str, aside: Table) -> None:
    """Copy the rows of a load into the new table ``aside``."""
    names = _kept_columns(connection, feed, fact)
    rows = select(*(fact.c[name] for name in names)).where(carries(fact, feed.fact.load_column, load_id))
    connection.execute(CreateTableAs(rows, aside.name, schema=STAGING_SCHEMA))


def bring_back(connection: Connection, feed: Feed, fact: Table, back: Table) -> None:
    """Insert the rows of ``back`` into the fact table as they were. Raises ``FeedError`` where it has other columns by
    now than when they were taken out."""
    names = _kept_columns(connection, feed, fact)
    if names != (there := _stored(connection, back)):
        changed = sorted(set(names) ^ set(there)) or names
        raise FeedError(
            "undo_table_changed",
            f"{feed.fact.table} has other columns than when the rows that are to come back stood there: "
            f"{', '.join(changed)}",
            expected="the columns that it had",
            remedy="Nothing was undone. Change the table back, or load the workbook that is to stand",
        )
    columns = SQL(", ").join(map(Identifier, names))
    run(
        connection,
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}",
        _name(connection, fact),
        columns,
        columns,
        table_name(STAGING_SCHEMA, back.name),
    )


def _kept_columns(connection: Connection, feed: Feed, fact: Table) -> Sequence[str]:
    """The columns whose values are kept: all but those that the table computes; of a view, those that are filled."""
    if relation_of(connection, fact).is_view:
        return [*feed.fact.columns, feed.fact.load_column or ""]
    return _stored(connection, fact)


def _stored(connection: Connection, table: Table) -> Sequence[str]:
    return connection.scalars(_STORED, {"oid": relation_of(connection, table).oid}).all()


def _name(connection: Connection, fact: Table) -> Identifier:
    found = relation_of(connection, fact)
    return table_name(found.schema, found.name)
