"""What publishing would change row by row, of a load that isn't staged: its rows go into a temporary table, which is
gone when they have been compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import pyarrow as pa
from sqlalchemy import Engine, Table
from sqlalchemy.engine import Connection

from factload.check.target import Target
from factload.diff.cells import Origin, origin_of
from factload.diff.compare import compare
from factload.diff.difference import Difference
from factload.diff.staged import Staged
from factload.errors import FactloadError
from factload.fact.constants import constant_values
from factload.fact.modes.registry import mode_of
from factload.fact.staged import slice_key
from factload.fact.staging_table import SLICE, temporary_staging
from factload.feed.model import Feed
from factload.load import PartitionFile, SourceFile
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.postgres.insert import INSERTS, chunks

T = TypeVar("T")

_NAME = "factload_check"


@dataclass(slots=True)
class RowsAside:
    """The rows that a load would stage, as long as they can be had. ``why_not``: why they can't be compared."""

    connection: Connection
    feed: Feed
    period: date
    table: Table
    why_not: str = ""
    _partitions: dict[int, PartitionFile] = field(default_factory=dict)

    def make(self) -> None:
        """Make the table."""
        self._as_far_as_it_can(lambda: self.table.create(self.connection))

    def add(self, partition: PartitionFile, rows: pa.Table) -> None:
        """Put the good rows of a partition there."""
        self._as_far_as_it_can(lambda: self._insert(partition, rows))

    def difference(self, load_id: str, sources: Sequence[SourceFile]) -> Difference | None:
        """What publishing them would change; None where that can't be told."""
        staged = Staged(
            load_id=load_id,
            period=self.period.isoformat(),
            workbooks=tuple(source.path for source in sources),
            state="",
            held="",
            table=self.table,
            origins=self._origins,
        )
        return self._as_far_as_it_can(lambda: compare(self.connection, self.feed, staged))

    def _insert(self, partition: PartitionFile, rows: pa.Table) -> None:
        key = slice_key(partition.partition_id)
        self._partitions[key] = partition
        same = {SLICE: key, **constant_values(self.table, self.feed, self.period, partition)}
        own = rows.drop_columns([name for name in rows.column_names if name in same])
        for chunk in chunks(own, self.feed.rows_per_chunk):
            INSERTS[self.feed.insert](self.connection, self.table, same, chunk)

    def _origins(self, slices: Collection[int]) -> dict[int, Origin]:
        return {key: origin_of(self._partitions[key], self.feed) for key in slices if key in self._partitions}

    def _as_far_as_it_can(self, act: Callable[[], T]) -> T | None:
        """A check goes on without this: it may be asked where not even a temporary table can be made."""
        if self.why_not:
            return None
        try:
            with database_errors("comparing rows with what stands"):
                return act()
        except FactloadError as error:
            self.why_not = error.seen
            return None


@contextmanager
def rows_aside(database: str, feed: Feed, period: date, target: Target) -> Iterator[RowsAside | None]:
    """Where rows are put aside, in a transaction that is rolled back; None where no row stands that they could take the
    place of, so that all would be added."""
    mode = mode_of(feed.fact)
    if target.fact is None or not (mode.takes_over or (mode.replaces and target.last is not None)):
        yield None
        return
    engine: Engine = engine_for(database).execution_options(isolation_level="REPEATABLE READ")
    with database_errors("comparing rows with what stands"), engine.connect() as connection:
        aside = RowsAside(connection, feed, period, temporary_staging(_NAME, feed, target.fact))
        aside.make()
        yield aside
