"""The proof that nothing was lost: pure functions over counts.

Per partition and in all: source = blank + left out + rejected + staged, and the control total of every measure, summed
exactly from the partition file, is what the database sums in the staging table. A count alone would miss a lost
row beside a doubled one; a total alone would miss two losses that cancel out; and neither would see two values
that have changed places, which totals weighted by the row number do (``weighted_checksums``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from factload.decimals import EXACT
from factload.errors import ReconciliationError, RowsRefused
from factload.feed.limits import ROWS, ChangeLimits, LeastRows, RejectLimits
from factload.load import PartitionCounts

_NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Staged:
    """What the database holds of one partition. ``totals``: measure → exact sum; ``weighted``: column → exact sum
    of row number × value."""

    rows: int
    totals: Mapping[str, Decimal]
    weighted: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A whole load, counted; ``differences`` is empty when it adds up, else names each partition.

    ``differing``: the ids of the partitions that don't add up. ``too_many``: which rejects are more than the feed
    allows, in words; ``too_few``: which rows are fewer than it asks for; ``too_different``: what has changed by more
    than it allows; ``unequal``: where the owner's own number is another one.
    """

    source: int
    blank: int
    rejected: int
    staged: int
    totals: dict[str, Decimal]
    differences: tuple[str, ...]
    differing: frozenset[str]
    too_many: tuple[str, ...] = ()
    too_few: str = ""
    too_different: tuple[str, ...] = ()
    unequal: tuple[str, ...] = ()

    @property
    def publishable(self) -> bool:
        """Whether it adds up, within the feed's limits, or as a person let it through."""
        return not (self.differences or self.too_many or self.too_few or self.too_different or self.unequal)

    @property
    def amounts(self) -> dict[str, Decimal]:
        """The number of staged rows, and their totals, under one mapping."""
        return {**self.totals, ROWS: Decimal(self.staged)}


def reconcile(
    partitions: Sequence[PartitionCounts], staged: Mapping[str, Staged], measures: Sequence[str]
) -> Reconciliation:
    """Compare what was counted of every partition with what is ``staged`` (by partition id)."""
    of_partition = {
        p.partition_id: list(_differences(p, staged.get(p.partition_id), measures)) for p in partitions
    }
    differences = [difference for found in of_partition.values() for difference in found]
    differences += [
        f"{rows.rows} staged rows belong to no partition of this load"
        for partition_id, rows in staged.items()
        if partition_id not in of_partition
    ]
    return Reconciliation(
        source=sum(p.source for p in partitions),
        blank=sum(p.blank for p in partitions),
        rejected=sum(p.rejected for p in partitions),
        staged=sum(p.staged for p in partitions),
        totals={
            m: reduce(EXACT.add, (Decimal(p.totals.get(m, 0)) for p in partitions), Decimal(0))
            for m in measures
        },
        differences=tuple(differences),
        differing=frozenset(partition_id for partition_id, found in of_partition.items() if found),
    )


def _differences(counted: PartitionCounts, staged: Staged | None, measures: Sequence[str]) -> Iterable[str]:
    name = f"partition {counted.label}"
    found = staged or Staged(0, {}, {})
    accounted = counted.blank + counted.left_out + counted.rejected + counted.staged
    if counted.source != accounted:
        left_out = f"{counted.left_out} left out + " if counted.left_out else ""
        yield (
            f"{name}: {counted.source} source rows, but {counted.blank} blank + {left_out}{counted.rejected} rejected "
            f"+ {counted.staged} staged = {accounted}"
        )
    if found.rows != counted.staged:
        yield f"{name}: {found.rows} rows in the staging table, {counted.staged} counted"
    if missing := _not_counted(counted, found, measures):
        yield f"{name}: the ledger has no totals of {', '.join(missing)}: without them nothing is proved"
        return
    for measure in measures:
        difference = EXACT.subtract(found.totals.get(measure, Decimal(0)), Decimal(counted.totals[measure]))
        if difference:
            yield f"{name}: control total of {measure} is off by {difference}"
    for column, weighted in counted.weighted.items():
        difference = EXACT.subtract(found.weighted.get(column, Decimal(0)), Decimal(weighted))
        if difference:
            yield f"{name}: sum of row × {column} is off by {difference}: values are not in the rows they were in"


def _not_counted(counted: PartitionCounts, found: Staged, measures: Sequence[str]) -> list[str]:
    """What can't be compared, as the ledger lacks one side of it."""
    totals = [measure for measure in measures if measure not in counted.totals]
    return totals or [column for column in found.weighted if column not in counted.weighted]


def require_agreement(load_id: str, result: Reconciliation) -> None:
    """Raise ``ReconciliationError`` that names the partitions and by how much, unless everything adds up."""
    if result.differences:
        more = len(result.differences) - _NAMED_AT_MOST
        raise ReconciliationError(
            "reconciliation_failed",
            f"{load_id} does not add up: "
            + "; ".join(result.differences[:_NAMED_AT_MOST])
            + (f"; and {more} more differences" if more > 0 else ""),
            remedy="Nothing was published and the evidence is kept. Run the load again (in Airflow: clear it from "
            "split_workbook on): those partitions alone are loaded again. If it happens again, report it",
        )


def require_within_limits(
    load_id: str, result: Reconciliation, limits: RejectLimits, least: LeastRows, change: ChangeLimits
) -> None:
    """Raise ``RowsRefused`` when more rows were rejected than the feed allows, fewer are left than it asks for, what is
    left differs by more than it allows from what was published before, or the owner's number is another one."""
    if result.too_many:
        raise _held(
            load_id,
            "too_many_rejects",
            "; ".join(result.too_many),
            f"at most max_rejects, {limits}",
            f"See `factload rejects {load_id}`, correct the workbook or the dimension",
            "the others",
        )
    if result.too_few:
        raise _held(
            load_id,
            "too_few_rows",
            result.too_few,
            f"at least min_rows, {least}",
            "Check that the workbook is complete",
        )
    if result.too_different:
        raise _held(
            load_id,
            "too_much_change",
            "; ".join(result.too_different),
            f"changes up to max_change, {change}",
            "`factload diff` says what would change. Correct the workbook",
        )
    if result.unequal:
        more = len(result.unequal) - _NAMED_AT_MOST
        raise _held(
            load_id,
            "witness_differs",
            "; ".join(result.unequal[:_NAMED_AT_MOST]) + (f"; and {more:,} more" if more > 0 else ""),
            "what the workbook's owner says",
            "Ask for the whole workbook, or for its right number",
        )


def _held(
    load_id: str, code: str, seen: str, expected: str, first: str, released: str = "it as it is"
) -> RowsRefused:
    """Why a load is held. ``first``: what to do before it runs again; ``released``: what a release publishes."""
    return RowsRefused(
        code,
        seen,
        expected=expected,
        remedy=f"Nothing was published. {first}, and run the load again; or `factload release {load_id} --reason ...` "
        f"publishes {released}",
    )
