"""The load beside the number of its owner: what each of the two says, and by how much they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import reduce
from typing import Any

from factload.feed.model import Feed
from factload.load import WitnessValue
from factload.reconcile.counts import EXACT

# What adding up many doubles leaves behind a sum, relative to it, at most; a cent of ten billions is more.
_NOISE = Decimal("1e-12")
_DIGITS_AT_MOST = 50  # before the decimal point: no sum has as many


_NOTHING = WitnessValue("", "", "", "", "nothing was read that could hold it")


@dataclass(frozen=True, slots=True)
class Counted:
    """One partition, as far as a witness may speak of it. ``delivered``: the sums of its rows, rejected ones too;
    ``loaded``: those of its staged rows."""

    workbook: str
    sheet: str
    delivered_rows: int
    loaded_rows: int
    delivered: Mapping[str, str]
    loaded: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Compared:
    """A witness beside the load, in exact decimal text. ``says``: of what it is, ``measure``:
    the column that is summed ("": rows are counted), ``rows``: of which rows; ``difference``: what the load has
    beyond it, "" where there is no number to compare with, and ``problem`` says why."""

    workbook: str
    sheet: str
    place: str
    says: str
    measure: str
    rows: str
    number: str
    found: str
    difference: str
    problem: str
    equal: bool

    @property
    def words(self) -> str:
        """What is wrong, in a sentence."""
        of = f"{self.workbook}: " if self.workbook else ""
        if self.problem:
            return f"{of}the witness can't be read: {self.problem.rstrip('.')}"
        return (
            f"{of}{self.place} says that the {self.says} is {self.number}, and of the {self.rows} rows it is "
            f"{self.found}: a difference of {self.difference}"
        )


def compare(feed: Feed, values: Iterable[WitnessValue], partitions: Sequence[Counted]) -> list[Compared]:
    """Each value of the feed's witness beside what was counted of the rows that it speaks of."""
    witness = feed.witness
    if witness is None:
        return []
    measure = feed.witnessed
    compared = []
    for value in [*values] or [_NOTHING]:
        of = [p for p in partitions if value.workbook in ("", p.workbook) and value.sheet in ("", p.sheet)]
        found = _found(of, measure, delivered=witness.rows == "delivered")
        number = Decimal(value.number) if value.number else None
        if number is not None and measure is not None:
            number = _in_scale(number, feed, measure)
        difference = None if number is None else EXACT.subtract(found, number)
        compared.append(
            Compared(
                workbook=value.workbook,
                sheet=value.sheet,
                place=value.place,
                says=f"sum of {measure}" if measure else "count of rows",
                measure=measure or "",
                rows=witness.rows,
                number="" if number is None else f"{number:f}",
                found=f"{found:f}",
                difference="" if difference is None else f"{difference:f}",
                problem=value.problem,
                equal=difference is not None and abs(difference) <= witness.tolerance,
            )
        )
    return compared


def by_measure(kept: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Measure → what the owner's numbers come to together, as exact decimal text; nothing unless all can be read.

    ``kept``: the fields of :class:`Compared`, as the ledger has them.
    """
    summed = [one for one in kept if one["measure"]]
    if not summed or any(one["problem"] for one in summed):
        return {}
    return {summed[0]["measure"]: f"{reduce(EXACT.add, (Decimal(one['number']) for one in summed)):f}"}


def _found(partitions: Sequence[Counted], measure: str | None, *, delivered: bool) -> Decimal:
    if measure is None:
        return Decimal(sum(p.delivered_rows if delivered else p.loaded_rows for p in partitions))
    sums = (Decimal((p.delivered if delivered else p.loaded).get(measure, "0")) for p in partitions)
    return reduce(EXACT.add, sums, Decimal(0))


def _in_scale(number: Decimal, feed: Feed, measure: str) -> Decimal:
    """The number with the decimals of its column, if what is left out is no more than adding doubles may leave."""
    if number.adjusted() > _DIGITS_AT_MOST:
        return number
    kind = feed.fact.columns[measure].type
    scale = kind.scale if kind is not None else 0
    exact = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN, EXACT)
    return exact if abs(exact - number) <= abs(number) * _NOISE else number
