"""Which rows of a workbook are those that people corrected.

In the delivery that was corrected it is the row of that number. In a later one it is the row that holds the same in all
of its cells, wherever it stands now: at its old place, or else the next one that is free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import tee
from typing import TypedDict

from factload.ledger.corrections import Correction, sha256_of_row
from factload.load import SourceFile
from factload.sheet.csv.source import CsvSource
from factload.sheet.field import SheetField
from factload.sheet.rows import Row
from factload.sheet.sheets import SheetPart
from factload.sheet.source import Source, placing_of

Chain = tuple[Correction, ...]  # of one row, in the order in which they were taken


@dataclass(frozen=True, slots=True)
class CorrectedRow:
    """A row of a workbook as it stands there, and what people have corrected in it, one after another."""

    row: Row
    corrections: Chain

    @property
    def now(self) -> Row:
        """The row as it was corrected last."""
        return self.corrections[-1].on(self.row) if self.corrections else self.row


def corrections_of(
    source: SourceFile, sources: Sequence[SourceFile], corrections: Iterable[Correction]
) -> list[Correction]:
    """The corrections that may belong to this workbook: same bytes, or an earlier delivery under the same name.

    Where the load has but one workbook, its name doesn't matter.
    """
    alone = len(sources) == 1
    return [
        c for c in corrections if alone or source.sha256 == c.workbook_sha256 or source.path == c.workbook
    ]


def chains_of(
    opened: Source,
    sheet: str,
    fields: Sequence[SheetField],
    source: SourceFile,
    corrections: Iterable[Correction],
) -> dict[int, Chain]:
    """Row → the corrections of it. ``fields``: what the feed reads of a row.

    The sheet is read through once if any of them were made in another delivery.
    """
    chains: dict[tuple[str, int], Chain] = {}
    for correction in corrections:
        # The one sheet of a csv file is named as the file is.
        if correction.sheet == sheet or isinstance(opened, CsvSource):
            place = (correction.workbook_sha256, correction.row)
            chains[place] = (*chains.get(place, ()), correction)
    own = {row: chain for (sha256, row), chain in chains.items() if sha256 == source.sha256}
    earlier = [chain for (sha256, _), chain in chains.items() if sha256 != source.sha256]
    found = _found_again(opened, sheet, fields, earlier) if earlier else {}
    for row, chain in own.items():
        found[row] = (*found.get(row, ()), *chain)
    return found


def rows_of(
    opened: Source,
    sheet: str,
    fields: Sequence[SheetField],
    wanted: Iterable[int],
    chains: Mapping[int, Chain],
) -> Iterator[CorrectedRow]:
    """The rows ``wanted`` (ascending) of one sheet with their corrections. One that isn't there has no cells."""
    ahead, numbers = tee(wanted)
    part, below = _below_header(opened, sheet, fields)
    rows = opened.some_rows(part, ahead, **below)
    row = Row(0)
    for number in numbers:
        while row.number < number:
            row = next(rows, Row(number))
        found = row if row.number == number else Row(number)
        yield CorrectedRow(found, chains.get(number, ()))


class _Below(TypedDict):
    header_row: int
    columns: set[int]


def _below_header(opened: Source, sheet: str, fields: Sequence[SheetField]) -> tuple[SheetPart, _Below]:
    part = next(part for part in opened.sheets if part.name == sheet)
    placing = placing_of(opened, part, fields)
    return part, {"header_row": placing.header.row, "columns": set(placing.columns)}


@dataclass(slots=True)
class _Alike:
    """Rows with equal cells: the ones that were corrected, and where equal rows are now."""

    chains: list[Chain] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def matched(self) -> Iterator[tuple[int, Chain]]:
        """Row → its corrections. At most as many as one delivery had: a later one may have corrected them again."""
        most = max(Counter(chain[-1].workbook_sha256 for chain in self.chains).values())
        newest = {chain[-1].row: chain for chain in reversed(self.chains)}  # of each place
        chains = [chain for chain in self.chains if newest[chain[-1].row] is chain]
        free = set(self.rows)
        left: list[Chain] = []
        for chain in chains:
            if most and chain[-1].row in free:
                free.discard(chain[-1].row)
                most -= 1
                yield chain[-1].row, chain
            else:
                left.append(chain)
        room = sorted(free)[:most]
        # Rows that hold the same may change places. But where some of them are gone, nobody can say which.
        if len(left) <= len(room) or all(chain[-1].cells == left[0][-1].cells for chain in left):
            yield from zip(room, left, strict=False)


def _found_again(
    opened: Source, sheet: str, fields: Sequence[SheetField], chains: Sequence[Chain]
) -> dict[int, Chain]:
    alike: dict[str, _Alike] = {}
    for chain in sorted(chains, key=lambda chain: -chain[-1].epoch):  # what was said last counts
        alike.setdefault(chain[-1].row_sha256, _Alike()).chains.append(chain)
    part, below = _below_header(opened, sheet, fields)
    for row in opened.all_rows(part, **below):
        if (same := alike.get(sha256_of_row(row))) is not None:
            same.rows.append(row.number)
    return {row: chain for same in alike.values() for row, chain in same.matched()}
