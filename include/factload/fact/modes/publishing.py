"""One publication at work: its values, and what modes share that insert the staged rows into the fact table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, Table, func, insert, literal, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from factload.errors import ReconciliationError
from factload.fact.digest import columns_filled, digest_values
from factload.fact.load_column import carries, load_key
from factload.fact.staging_table import SLICE, as_in_fact
from factload.feed.model import Feed
from factload.ledger.opening import Publication
from factload.load import Load
from factload.postgres.errors import room_for
from factload.postgres.locks import locked_for_writing
from factload.reconcile.counts import Reconciliation
from factload.reconcile.read_back import Content, columns_that_differ, content_of, require_same
from factload.staging.kept import table_of

DEFERRED_TRIGGERS_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")
_ROWS_MEMORY = "64MB"


@dataclass(frozen=True, slots=True)
class Published:
    """What readers see of the load once the transaction is committed. ``totals``: measure → exact sum; ``warnings``:
    what a person should know; ``digest``: what the rows are known by, as columns of the attempt; none where that is
    noted already; ``kept_of``: the attempt whose rows were taken out to be kept, if any were."""

    rows: int
    totals: Mapping[str, Decimal]
    warnings: tuple[str, ...] = ()
    digest: Mapping[str, Any] = field(default_factory=dict)
    kept_of: int | None = None


@dataclass(frozen=True, slots=True)
class Publishing:
    """What a mode works with, in the transaction that publishes. ``last``: the last publication of this load;
    ``standing``: how many rows it left that are to be replaced now, 0 where its mode replaces none."""

    connection: Connection
    load: Load
    feed: Feed
    fact: Table
    staging: Table
    last: Publication | None
    standing: int

    def rows_of(self, table: Table) -> Select[Any]:
        """The columns that the feed fills, of every row."""
        return select(*self.columns_of(table))

    def columns_of(self, table: Table) -> list[ColumnElement[Any]]:
        """The columns that the feed fills."""
        return columns_filled(table, self.feed)

    def content_of(self, rows: Select[Any] | CTE) -> Content:
        """What rows come to whose columns are those of ``columns_of``."""
        return content_of(self.connection, rows, list(self.feed.fact.columns), self.feed.fact.measures)

    def of_this_load(self) -> ColumnElement[bool]:
        """Whether a fact row carries this load in its load column, which the feed must name."""
        return carries(self.fact, self.feed.fact.load_column, self.load.load_id)

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

    def insert_slices(self, slices: Collection[int]) -> Insert:
        """The INSERT of the rows of some partitions, by the numbers of their slices."""
        columns, rows = self.insertion()
        return insert(self.fact).from_select(columns, rows.where(self.staging.c[SLICE].in_(slices)))

    def as_in_fact(self, name: str) -> ColumnElement[Any]:
        """A staged column as the fact table holds it."""
        return as_in_fact(self.fact, self.staging, name)

    def run_deferred_triggers(self) -> None:
        """Have every trigger act that would wait for COMMIT."""
        self.connection.execute(DEFERRED_TRIGGERS_NOW)

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

    @property
    def kept_of(self) -> int | None:
        """The attempt whose rows are to be kept, those before; None where there are none or the feed doesn't ask."""
        if self.feed.keep_previous is None or self.last is None or not self.standing:
            return None
        return self.last.epoch

    def set_aside(self) -> Table | None:
        """The table that keeps the rows of ``kept_of``; None where there is none."""
        return None if self.kept_of is None else table_of(self.load.load_id, self.kept_of)

    def missing_before(self, found: int) -> tuple[str, ...]:
        """A warning where ``found``, the load's rows that stood in the table, are fewer than were published before."""
        if found >= self.standing:
            return ()
        return (f"{self.standing} rows had been published before, and only {found} of them were still there",)


@dataclass(frozen=True, slots=True)
class Written:
    """What a mode inserted. ``content``: of the load's rows, as read back from the fact table; ``rows``: the query that
    finds them there, where there is one; ``warnings``: what a person should know."""

    content: Content
    rows: Select[Any] | None
    warnings: tuple[str, ...] = ()


def by_inserting(write: Callable[[Publishing], Written]) -> Callable[[Publishing, Reconciliation], Published]:
    """How a mode publishes that inserts the staged rows: ``write`` works on the locked table, and what it has read back
    must be what was staged.

    Raises ``ReconciliationError`` unless it is, whatever triggers, rules or policies did, and ``TransientError`` when
    the table is locked for too long.
    """

    def publish(at: Publishing, _: Reconciliation) -> Published:
        # What an INSERT returns, and the keys that rows are joined by, are kept in memory, not in a file.
        _, size = at.connection.execute(
            select(func.set_config("work_mem", _ROWS_MEMORY, True), func.pg_table_size(str(at.staging)))
        ).one()
        what = f"the staged rows into {at.feed.fact.table}"
        with room_for(what, size), locked_for_writing(at.connection, at.fact):
            return _as_staged(at, write(at))

    return publish


def by_inserting_slices(
    begin: Callable[[Publishing], int], end: Callable[[Publishing, int], Written]
) -> Callable[[Publishing, Iterable[Collection[int]], Callable[[], None]], Published]:
    """The same while rows are still being staged: the slices that ``slices`` gives are inserted as they come.

    ``begin``: what comes before, which says how many rows of the load stood there; ``end``: reads back what stands
    there at last. Between the two ``prove`` is called, which lets nobody change a staged row any more, or raises.
    """

    def publish(at: Publishing, slices: Iterable[Collection[int]], prove: Callable[[], None]) -> Published:
        with locked_for_writing(at.connection, at.fact):
            standing = begin(at)
            for numbers in slices:
                at.connection.execute(at.insert_slices(numbers))
            prove()
            return _as_staged(at, end(at, standing))

    return publish


def _as_staged(at: Publishing, written: Written) -> Published:
    """What was written, if it is what is staged now."""
    staged = at.content_of(at.rows_of(at.staging))
    if written.content != staged:
        require_same(at.load.load_id, staged, written.content, _differing(at, written))
    content = written.content
    digest = digest_values(content.digest, at.feed, at.fact)
    return Published(content.rows, content.totals, written.warnings, digest, at.kept_of)


def _differing(at: Publishing, written: Written) -> list[str]:
    if written.rows is None:
        return []
    return columns_that_differ(
        at.connection, list(at.feed.fact.columns), at.rows_of(at.staging), written.rows
    )
