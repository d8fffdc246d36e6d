"""One publication at work: its values, and the statements that modes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, ColumnElement, Enum, Select, Table, cast, insert, literal, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from factload.errors import ReconciliationError
from factload.fact.load_column import load_key
from factload.fact.resolve import measures
from factload.feed.model import Feed
from factload.ledger.opening import Publication
from factload.load import Load
from factload.reconcile.read_back import Content, content_of

_DEFERRED_TRIGGERS_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")


@dataclass(frozen=True, slots=True)
class Written:
    """What a mode did. ``content``: of the load's rows, as read back from the fact table; ``rows``: the query that
    finds them there, where there is one; ``warnings``: what a person should know."""

    content: Content
    rows: Select[Any] | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Publishing:
    """What a mode works with, in the transaction that publishes: ``connection`` has the fact table locked as the mode
    asks. ``last``: the last publication of this load."""

    connection: Connection
    load: Load
    feed: Feed
    fact: Table
    staging: Table
    last: Publication | None

    def rows_of(self, table: Table) -> Select[Any]:
        """The columns that the feed fills, of every row."""
        return select(*self.columns_of(table))

    def columns_of(self, table: Table) -> list[ColumnElement[Any]]:
        """The columns that the feed fills, by names of their own: SQLAlchemy cuts those of more than 57 characters."""
        return [table.c[name].label(f"column_{number}") for number, name in enumerate(self.feed.fact.columns)]

    def content_of(self, rows: Select[Any] | CTE) -> Content:
        """What rows come to whose columns are those of ``columns_of``."""
        return content_of(self.connection, rows, list(self.feed.fact.columns), measures(self.feed))

    def of_this_load(self) -> ColumnElement[bool]:
        """Whether a fact row carries this load in its load column, which the feed must name."""
        column = self.fact.c[self.feed.fact.load_column or ""]
        return column == load_key(column, self.load.load_id)

    def insertion(self) -> tuple[list[str], Select[Any]]:
        """The columns to insert, and the staged rows with a value for each."""
        columns = list(self.feed.fact.columns)
        values: list[Any] = [self.as_in_fact(name) for name in columns]
        if (load_column := self.feed.fact.load_column) is not None:
            columns.append(load_column)
            values.append(literal(load_key(self.fact.c[load_column], self.load.load_id)))
        return columns, select(*values)

    def insert(self) -> Insert:
        """The INSERT of all staged rows."""
        return insert(self.fact).from_select(*self.insertion())

    def as_in_fact(self, name: str) -> ColumnElement[Any]:
        """A staged column as the fact table holds it: labels of an enum are staged as texts."""
        column, staged = self.fact.c[name], self.staging.c[name]
        return cast(staged, column.type) if isinstance(column.type, Enum) else staged

    def run_deferred_triggers(self) -> None:
        """Have every trigger act that would wait for COMMIT."""
        self.connection.execute(_DEFERRED_TRIGGERS_NOW)

    def require_own(self, found: int) -> None:
        """Raise ``ReconciliationError`` if more rows carry the load's identity than its last publication put there.

        Fewer may be there, where a person deleted some. Others are not this load's to replace or to count as its own.
        """
        published_before = self.last.rows if self.last else 0
        if found > published_before:
            fact = self.feed.fact
            raise ReconciliationError(
                "facts_unknown",
                f"{found} rows of {fact.table} carry {self.load.load_id} in {fact.load_column}, and {published_before} "
                "were published by this load",
                remedy="Nothing was published. Look where they come from: a trigger, another program, an older ledger. "
                f"If they may go, DELETE the rows with this {fact.load_column}; then run the load again",
            )
