"""What the partitions of a check come to, one after the other: good rows and their totals, rejects, unmatched keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pyarrow.compute as pc

from factload.check.duplicates import EarlierRows
from factload.check.findings import Problems, RejectedRows, UnmatchedKeys
from factload.check.limits import beyond_limits
from factload.check.row_by_row import RowsAside
from factload.check.target import Target
from factload.check.witness import counted_of, unequal
from factload.decimals import EXACT
from factload.diff.difference import Difference
from factload.dimension.inferred import WouldBeMembers
from factload.errors import FactloadError, RowsRefused
from factload.fact.constants import constant_values, with_constants
from factload.fact.encodable import reject_unencodable
from factload.fact.resolve import control_totals, resolve
from factload.feed.model import Feed
from factload.load import PartitionFile, SourceFile
from factload.reconcile.witness import Compared, Counted
from factload.split.fields import key_fields
from factload.split.places import headers_in
from factload.staging.files import open_table


@dataclass(slots=True)
class Rows:
    """What the partitions looked at so far come to."""

    feed: Feed
    target: Target
    period: date
    would_be: WouldBeMembers
    aside: RowsAside | None
    difference: Difference | None = None
    staged: int = 0
    totals: dict[str, Decimal] = field(default_factory=dict)
    rejected: RejectedRows = field(default_factory=RejectedRows)
    unmatched: dict[str, UnmatchedKeys] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    earlier: EarlierRows | None = None
    counted: list[Counted] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.target.fact is not None and self.target.once:
            self.earlier = EarlierRows(self.feed, self.target.fact, self.target.once)

    def add(self, partition: PartitionFile, readable: Feed) -> None:
        """Look the next partition's rows up. ``readable``: the feed with the columns that its sheet can fill."""
        whole = open_table(partition.path, partition.sha256)
        rows = reject_unencodable(whole, readable, self.target.codec)
        resolved = resolve(rows, readable, self.target.members, self.period, self.would_be, self.target.fact)
        self.unknown.update(resolved.unknown)
        self.rejected.add(partition, resolved.rejects)
        staged = resolved.rows
        if self.earlier is not None:
            constants = constant_values(self.earlier.fact, readable, self.period, partition)
            staged, later = self.earlier.part(with_constants(staged, constants))
            self.rejected.add(partition, later)
        if self.aside is not None and not self.would_be.created:  # whose surrogate keys are not yet there
            self.aside.add(partition, staged)
        self.staged += staged.num_rows
        loaded = control_totals(staged, readable.fact.measures)
        if readable.witness:
            self.counted.append(counted_of(partition, whole, readable, staged.num_rows, loaded))
        for measure, total in loaded.items():
            self.totals[measure] = EXACT.add(self.totals.get(measure, Decimal(0)), Decimal(total))
        lost = resolved.rejects.filter(pc.equal(resolved.rejects["reason"], "unmatched_key"))
        noted = whole.schema.metadata
        called = {name: headers_in(noted, key_fields(readable, name)) for name in _looked_up(readable)}
        for column in lost["column"].unique().to_pylist():
            keys = lost.filter(pc.equal(lost["column"], column))["raw"].combine_chunks()
            name = ", ".join(name for name, headers in called.items() if column in headers)
            self.unmatched.setdefault(name, UnmatchedKeys()).add(keys)

    def settle(self, sources: Sequence[SourceFile], problems: Problems) -> None:
        """Compare the rows with those that stand, where that can be."""
        if self.aside is None:
            return
        if self.would_be.created:
            self.aside.why_not = "the load would make members first"
        self.difference = self.aside.difference(self.feed.load_id(self.period), sources)
        if self.aside.why_not:
            problems.warnings.append(
                "what publishing would change is told in numbers, and not row by row: " + self.aside.why_not
            )

    def errors(self, source: int) -> list[FactloadError]:
        """Why the load would be refused as a whole although none of its rows is an error by itself."""
        return [
            RowsRefused(
                "unmatched_key",
                f"{keys.rows} rows have a business key without a member in dimension {name}",
                expected="a member for every key, since `unmatched` is `fail`",
                remedy="Add the members, or let the feed say `unmatched: reject`",
            )
            for name, keys in self.unmatched.items()
            if any(self.feed.dimensions[one].unmatched.action == "fail" for one in name.split(", "))
        ] or [
            *beyond_limits(
                self.feed, self.target, self.rejected.reasons, source, rows=self.staged, totals=self.totals
            ),
            *unequal(self.compared),
        ]


def _looked_up(feed: Feed) -> list[str]:
    """The dimensions whose keys are looked up."""
    used = {column.dimension for column in feed.fact.columns.values()}
    return [name for name in feed.dimensions if name in used]
