"""The two sides of a comparison: the staged rows, and the fact rows that they would take the place of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_, false, select

from factload.fact.load_column import carries
from factload.fact.modes.registry import mode_of
from factload.fact.staging_table import as_in_fact
from factload.feed.model import Feed
from factload.reconcile.read_back import row_hash


@dataclass(frozen=True, slots=True)
class Sides:
    """``compared``: the columns whose values count; ``key``: those of them that a row is known by."""

    feed: Feed
    load_id: str
    fact: Table
    staging: Table
    compared: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def measures(self) -> list[str]:
        """The columns with a control total."""
        return self.feed.fact.measures

    def standing(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """These columns of the fact rows that publishing would replace or write over."""
        mode, load_column = mode_of(self.feed.fact), self.feed.fact.load_column
        if mode.takes_over:
            return select(*columns).select_from(self.fact.join(self.staging, self._same_key()))
        rows = select(*columns).select_from(self.fact)
        if mode.replaces and load_column is not None:
            return rows.where(carries(self.fact, load_column, self.load_id))
        return rows.where(false())

    def staged(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """These columns of the staged rows."""
        return select(*columns).select_from(self.staging)

    def _same_key(self) -> ColumnElement[bool]:
        return and_(
            *(
                self.fact.c[name] == as_in_fact(self.fact, self.staging, name)
                for name in self.feed.fact.mode.keys
            )
        )


def hash_of(table: FromClause, names: tuple[str, ...]) -> ColumnElement[Any]:
    """64 bits of these columns together."""
    return row_hash([table.c[name] for name in names])


def sides_of(feed: Feed, load_id: str, fact: Table, staging: Table) -> Sides:
    """What is compared: all columns that the feed fills but those that say where in the workbook a row stood, since a
    row that has moved there is the same row."""
    compared = tuple(name for name, source in feed.fact.columns.items() if source.provenance is None)
    return Sides(feed, load_id, fact, staging, compared, _key(feed, compared))


def _key(feed: Feed, compared: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that rows are paired by: what the feed says, else its mode, else ``unique``; else the dimensions."""
    if feed.compare_by:
        return feed.compare_by
    if feed.fact.mode.keys:
        return feed.fact.mode.keys
    columns = {name: feed.fact.columns[name] for name in compared}
    unique = [name for name, source in columns.items() if source.unique]
    if unique:
        return tuple(unique[:1])
    return tuple(name for name, source in columns.items() if source.dimension is not None)
