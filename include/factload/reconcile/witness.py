"""The load beside the numbers of its owner: what each of the two says, and by how much they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from functools import reduce
from typing import Any

from factload.decimals import EXACT
from factload.feed.model import Feed
from factload.feed.witness import Witness
from factload.load import WitnessValue

# What adding up many doubles leaves behind a sum, relative to it, at most; a cent of ten billions is more.
NOISE = Decimal("1e-12")
_DIGITS_AT_MOST = 50  # before the decimal point: no sum has as many


_NOTHING = WitnessValue("", "", "", "", "nothing was read that could hold it")
_Of = tuple[str, str]  # the workbook and the sheet of whose rows a number speaks; "": of all


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
    beyond it, "" where there is no number to compare with, and ``problem`` says why; ``witness``: which of the feed's
    it is, from 0."""

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
    witness: int

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
    """Each value of the feed's witnesses beside what was counted of the rows that it speaks of."""
    read = [*values]
    return [
        one
        for number, witness in enumerate(feed.witness)
        for one in _compared(
            feed,
            witness,
            [value for value in read if value.witness == number] or [replace(_NOTHING, witness=number)],
            partitions,
        )
    ]


def _compared(
    feed: Feed, witness: Witness, values: Iterable[WitnessValue], partitions: Sequence[Counted]
) -> Iterator[Compared]:
    measure = witness.measure(feed.fact)
    for value in values:
        of = [p for p in partitions if value.workbook in ("", p.workbook) and value.sheet in ("", p.sheet)]
        found = _found(of, measure, delivered=witness.rows == "delivered")
        number = Decimal(value.number) if value.number else None
        if number is not None and measure is not None:
            number = _in_scale(number, feed, measure)
        difference = None if number is None else EXACT.subtract(found, number)
        yield Compared(
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
            equal=difference is not None and EXACT.abs(difference) <= witness.tolerance,
            witness=value.witness,
        )


def by_measure(kept: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Measure → what the owner's numbers come to together, as exact decimal text; a measure of which one can't be read
    is left out. Of witnesses that speak of the same rows one counts, which differs from the load if any does.

    ``kept``: the fields of :class:`Compared`, as the ledger has them.
    """
    by_witness: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for one in kept:
        by_witness.setdefault((one["measure"], one.get("witness", 0)), []).append(one)
    unread = {one["measure"] for one in kept if one["problem"]}
    found: dict[str, Decimal] = {}
    spoken_of: dict[str, set[_Of]] = {}
    for (measure, _), said in sorted(by_witness.items(), key=lambda item: _rank(item[1])):
        of, before = {_of(one) for one in said}, spoken_of.setdefault(measure, set())
        if not measure or measure in unread or any(_overlap(one, other) for one in of for other in before):
            continue
        before |= of
        numbers = (Decimal(one["number"]) for one in said)
        found[measure] = reduce(EXACT.add, numbers, found.get(measure, Decimal(0)))
    return {measure: f"{number:f}" for measure, number in found.items()}


def _of(one: Mapping[str, Any]) -> _Of:
    return one["workbook"], one["sheet"]


def _rank(said: Sequence[Mapping[str, Any]]) -> tuple[bool, int, bool]:
    """First what speaks of the whole load, or of most of it; of these, what differs."""
    of = {_of(one) for one in said}
    return ("", "") not in of, -len(of), all(one["equal"] for one in said)


def _overlap(one: _Of, other: _Of) -> bool:
    return all("" in (mine, its) or mine == its for mine, its in zip(one, other, strict=True))


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
    return exact if EXACT.abs(EXACT.subtract(exact, number)) <= EXACT.abs(number) * NOISE else number
