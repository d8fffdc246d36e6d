"""The fact table of a feed, as it is in the database: whether it takes what the feed gives it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.column_types import misfit
from factload.fact.constants import constant_defects
from factload.fact.load_column import load_column_defect
from factload.fact.modes.registry import mode_of
from factload.fact.relation_defects import relation_defects
from factload.feed.model import Feed
from factload.postgres.tables import missing_columns, reflect


def fact_table(connection: Connection, feed: Feed) -> Table:
    """The feed's fact table, checked: every column there, of a type that holds what the feed declares.

    Raises ``FeedError`` that names every defect.
    """
    fact = feed.fact
    table = reflect(connection, fact.table, {})
    needed = {name: f"fact.columns.{name}" for name in fact.columns}
    if fact.load_column is not None:
        needed[fact.load_column] = "fact.load_column"
    defects = [*missing_columns(table, fact.table, needed), *_fact_defects(table, feed)]
    defects += relation_defects(connection, table, fact)
    if not defects:
        defects += mode_of(fact).defects(connection, feed, table)
    if defects:
        raise FeedError.together(defects)
    return table


def _fact_defects(table: Table, feed: Feed) -> Iterator[FeedError]:
    """Why columns that are there can't take what the feed gives them."""
    fact = feed.fact
    for name, source in fact.columns.items():
        if name in table.c and table.c[name].info["generated"]:
            yield FeedError(
                "column_generated",
                f"fact.columns.{name} is a generated column: {fact.table} fills it itself",
                remedy=f"Leave {name} out of the feed",
            )
        if name not in table.c or source.type is None:
            continue
        if told := misfit(source, source.type, table.c[name].type):
            seen, remedy = told
            yield FeedError(
                "column_type",
                f"fact.columns.{name} is declared {source.type}, and {fact.table}.{name} {seen}",
                remedy=remedy,
            )
    yield from constant_defects(table, feed)
    load_column = fact.load_column or ""
    if load_column in table.c and (refused := load_column_defect(table.c[load_column])):
        yield refused
    filled = {*fact.columns, load_column}
    for column in table.columns:
        if column.name not in filled and not column.nullable and column.server_default is None:
            yield FeedError(
                "column_unfilled",
                f"column {column.name} of {fact.table} is NOT NULL, has no default, and the feed does not fill it",
                remedy=f"Add it to fact.columns, or give {column.name} a default",
            )
