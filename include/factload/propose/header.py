"""Finding the table on a sheet: which row is its header.

A sheet may begin with a title, with parameters of a report, with a note. The header is the row with the most names
above columns that hold something; names above numbers and dates weigh twice, as they can't be data themselves.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from factload.sheet.block import UNREADABLE, Kind
from factload.sheet.dates import GREGORIAN, Calendar
from factload.sheet.header import HEADER_WITHIN, names_of
from factload.sheet.rows import Row

ROWS_LOOKED_AT = 1_000  # of every sheet, to tell which one holds the data
_BELOW = 60
_ASIDE_WEIGHT = 0.4  # of a sheet that is called a note
_LONGEST_NAME = 400  # characters; a text as long as that is a note
_WRITTEN_VALUE = re.compile(r"(?=.*\d)[\d\s.,:;/'+\-()%€$£]+(?:[TZ][\d:.]*)?(?:EUR|USD|CHF|GBP)?")
_A_PERIOD = re.compile(r"(?:19|20)\d\d(?:-?[01]\d(?:-[0-3]\d)?)?|[01]?\d[/.](?:19|20)\d\d")
_DATES = (Kind.SERIAL, Kind.ISO_DATE)
_ASIDE = re.compile(
    r"\b(?:read ?me|cover|title|deckblatt|notes?|info|about|legend|legende|help|instructions?|hinweise?|lookups?|"
    r"lists?|codes?|parameters?|metadata|changelog|version)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A header row: its number, its names by column (A = 1), and the ``blank`` columns that hold something below it
    and have no name. ``above``: what the row right above it shows.

    ``score`` compares rows, ``weight`` sheets; ``above_values``: how many names stand above values.
    """

    row: int
    names: dict[int, str]
    blank: tuple[int, ...]
    score: int
    above_values: int
    weight: float
    above: dict[int, str] = field(default_factory=dict)


def find_table(rows: Sequence[Row], sheet: str, calendar: Calendar = GREGORIAN) -> FoundTable | None:
    """The table that stands on a sheet with these first rows, or nothing where no row looks like a header."""
    filled = [row for row in rows if _cells(row)]
    widest = max((len(_cells(row)) for row in filled), default=0)
    candidates = [
        found
        for place, row in enumerate(filled)
        if row.number <= HEADER_WITHIN
        and (found := _judged(row, filled[:place], filled[place + 1 :], widest, sheet, calendar))
    ]
    best = max(candidates, key=lambda found: found.score, default=None)
    if best is None:
        return None
    if best.above_values:
        return _last_title(best, candidates, filled)
    return next((above for above in candidates if _is_header_of(above, best, filled)), best)


def last_names(rows: Iterable[Row]) -> int:
    """The number of the last row, if it may be a header and holds names alone: of a table without rows; or 0."""
    filled = [row for row in islice(rows, HEADER_WITHIN + 1) if _cells(row)]
    if not filled or filled[-1].number > HEADER_WITHIN:
        return 0
    cells = _cells(filled[-1])
    return 0 if len(cells) < 2 or any(is_value(*cell) for cell in cells.values()) else filled[-1].number


def _last_title(best: FoundTable, candidates: Sequence[FoundTable], filled: Sequence[Row]) -> FoundTable:
    """Of rows that are as good, the one right above the data: what is before it is a preamble."""
    for row in filled:
        if row.number <= best.row:
            continue
        if any(is_value(*cell) for cell in _cells(row).values()):
            break
        same = (c for c in candidates if c.row == row.number and c.names != best.names)
        best = next((c for c in same if c.score >= best.score), best)
    return best


def _cells(row: Row) -> dict[int, tuple[Kind, str]]:
    return {i: cell for i, cell in row.cells.items() if cell[0] is Kind.NO_VALUE or cell[1].strip()}


def is_value(kind: Kind, text: str) -> bool:
    """Whether a cell is a number, a date or the like, or a text that writes one: no name of a column."""
    return kind != Kind.TEXT or _WRITTEN_VALUE.fullmatch(text.strip()) is not None


def _judged(
    row: Row, before: Sequence[Row], after: Sequence[Row], widest: int, sheet: str, calendar: Calendar
) -> FoundTable | None:
    """The row as a header, if it can be one."""
    cells, below = _cells(row), [_cells(other) for other in after[:_BELOW]]
    if any(kind in UNREADABLE for kind, _ in cells.values()):
        return None
    usual = {i: _usual_kind([other[i] for other in below if i in other]) for i in cells}
    dates = {i for i, (kind, _) in cells.items() if kind in _DATES}
    above_others = {i for i in dates if usual[i] not in (None, *_DATES)}
    names = dates if above_others else set()  # some of them, as of days off, may stand above nothing
    values = [
        i for i, cell in cells.items() if i not in names and is_value(*cell) and usual[i] in (None, cell[0])
    ]
    if not _may_be_names(cells, values, below):
        return None
    supported = [i for i in cells if usual[i] is not None]
    if len(supported) < min(2, widest) or any(len(text) > _LONGEST_NAME for _, text in cells.values()):
        return None
    above_values = sum(_is_above_values(cells[i], [o[i] for o in below if i in o]) for i in supported)
    around = [*map(_cells, before[-_BELOW:]), *below]
    # A header comes again on every page of a printed report.
    once = not any(other == cells for other in around)
    repeated = sum(any(other.get(i) == cells[i] for other in around) for i in supported) if once else 0
    wide = [other for other in below if len(other) >= 2 or widest == 1]
    rows = sum(len(_cells(other)) * 2 >= len(supported) for other in after)
    return FoundTable(
        row.number,
        names_of(row, calendar),
        tuple(sorted({i for other in wide for i in other if i not in cells})),
        len(supported) + above_values - 2 * repeated,
        above_values,
        len(supported) * math.log2(1 + rows) * (_ASIDE_WEIGHT if _ASIDE.search(sheet) else 1),
        names_of(before[-1], calendar) if before and before[-1].number == row.number - 1 else {},
    )


def _usual_kind(cells: Sequence[tuple[Kind, str]]) -> Kind | None:
    return Counter(kind for kind, _ in cells).most_common(1)[0][0] if cells else None


def _may_be_names(
    cells: dict[int, tuple[Kind, str]], values: Sequence[int], below: Sequence[dict[int, tuple[Kind, str]]]
) -> bool:
    """Whether a row with these values among its cells can be a header: none, or periods, or numbers that count on."""
    if not values:
        return True
    if len(values) == len(cells):
        return False
    texts = [cells[i][1].strip() for i in values]
    if all(_A_PERIOD.fullmatch(text) for text in texts):
        return not all(_A_PERIOD.fullmatch(other[i][1]) for other in below for i in values if i in other)
    numbers = [int(text) for text in texts if re.fullmatch(r"\d{1,3}", text)]
    return len(numbers) == len(texts) > 1 and numbers == [numbers[0] + n for n in range(len(numbers))]


def _is_above_values(cell: tuple[Kind, str], below: Sequence[tuple[Kind, str]]) -> bool:
    return not is_value(*cell) and sum(is_value(*other) for other in below) * 2 > len(below)


def _is_header_of(above: FoundTable, best: FoundTable, filled: Sequence[Row]) -> bool:
    """Whether the row right above the best one is its header, with a name missing: in a table of nothing but texts a
    header is told by nothing else."""
    numbers = [row.number for row in filled]
    missing = set(best.names) - set(above.names)
    return (
        above.row < best.row
        and numbers.index(best.row) - numbers.index(above.row) == 1
        and len(above.names) >= 3
        and len(missing) <= max(1, len(best.names) // 5)
        and best.score == len(best.names)  # no name above values: it may be a row of data itself
    )
