"""Rows of totals and notes that a feed can leave out: where the data end, and which rows among them are none.

Only what is certain of the rows that were seen: a text that no row of data has in that column. What isn't stays as it
is, and becomes a reject where it can.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from factload.propose.header import FoundTable
from factload.propose.odd_rows import STARS, OddRow, is_grand_total
from factload.sheet.block import Kind
from factload.sheet.header import Header, columns_named
from factload.sheet.names import as_seen
from factload.sheet.rows import Row

_MANY = 3  # labels that differ in their first words, such as North Total, South Total
_LAST_WORD = re.compile(r"(?:.*\s)?(\S+)")

Label = tuple[str | int, str]  # a column by its name, or by its position if it has none, and a text in it


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a feed says of rows that are no data. ``ends``: the text of the first row behind them, in a column;
    ``skips``: texts of rows among them, ``patterns`` of such. ``rows``: all that are left out; ``below``: those of them
    that nothing but the blank row before them leaves out; ``totals``: the row that ``ends`` names, or 0."""

    ends: Label | None = None
    skips: tuple[Label, ...] = ()
    patterns: tuple[Label, ...] = ()
    rows: frozenset[int] = frozenset()
    below: tuple[OddRow, ...] = ()
    totals: int = 0

    @property
    def blank_row(self) -> bool:
        """Whether the data end before the first blank row."""
        return bool(self.below)


NOTHING = LeftOut()


def rows_left_out(found: FoundTable, odd: Sequence[OddRow], data: Sequence[Row], *, whole: bool) -> LeftOut:
    """What leaves out as many ``odd`` rows as it can, and none of the ``data``. ``whole``: all rows were seen."""
    if not odd or not data:
        return NOTHING
    last = max(row.number for row in data)
    texts = {i: _texts(data, i) for i in (*found.names, *found.blank)}
    labels = {row.number: label for row in odd if (label := _label(row, found, texts))}
    below = [row for row in odd if row.number > last] if whole else []
    totals = (row.number for row in below if row.number in labels and is_grand_total(labels[row.number][1]))
    end = next(totals, 0)
    ends = labels.get(end)
    if ends and list(labels.values()).count(ends) > 1:
        ends, end = None, 0
    first = below[0].number if below else 0
    blank_row = bool(below and not ends and first not in labels) and _is_parted(first, found, [*data, *odd])
    if blank_row:
        end = first
    skips = {number: label for number, label in labels.items() if not end or number < end}
    patterns, equals = _patterns(set(skips.values()), found, texts)
    left = set(skips) | {row.number for row in below if end and row.number >= end}
    return LeftOut(
        ends,
        tuple(sorted(equals, key=_in_order)),
        tuple(sorted(set(patterns), key=_in_order)),
        frozenset(left),
        tuple(below) if blank_row else (),
        end if ends else 0,
    )


def _in_order(label: Label) -> tuple[str, str]:
    return str(label[0]), label[1]


def _texts(rows: Sequence[Row], column: int) -> frozenset[str]:
    return frozenset(
        as_seen(row.cells[column][1])
        for row in rows
        if column in row.cells and row.cells[column][0] == Kind.TEXT
    )


def _label(row: OddRow, found: FoundTable, texts: Mapping[int, Collection[str]]) -> Label | None:
    """The text that tells the row from all rows of data."""
    if row.label is None:
        return None
    column, text = row.label
    name = found.names.get(column, column)
    if isinstance(name, int):
        known = any(map(STARS.fullmatch, texts[column]))
    else:
        known = len(columns_named(Header(found.row, found.names), name)) != 1
    return None if known or as_seen(text) in texts[column] else (name, as_seen(text))


def _is_parted(number: int, found: FoundTable, rows: Sequence[Row | OddRow]) -> bool:
    """Whether a blank row stands right before the row of this number, and none among those above."""
    numbers = sorted(row.number for row in rows if row.number < number)
    return numbers == list(range(found.row + 1, found.row + 1 + len(numbers))) and numbers[-1] < number - 1


def _patterns(
    labels: Collection[Label], found: FoundTable, texts: Mapping[int, Collection[str]]
) -> tuple[list[Label], list[Label]]:
    """Patterns for labels of which there are many that end in the same word, and the others."""
    words: dict[Label, list[Label]] = {}
    for name, text in labels:
        match = _LAST_WORD.fullmatch(text)
        words.setdefault((name, match[1] if match else text), []).append((name, text))
    patterns: list[Label] = []
    equals: list[Label] = []
    index: dict[str | int, int] = {name: i for i, name in found.names.items()} | {i: i for i in found.blank}
    for (name, word), alike in words.items():
        pattern = f".* {re.escape(word)}"
        if all(STARS.fullmatch(text) for _, text in alike):
            patterns.append((name, STARS.pattern))
        elif len(alike) < _MANY or any(re.fullmatch(pattern, text) for text in texts[index[name]]):
            equals += alike
        else:
            patterns.append((name, pattern))
            equals += [label for label in alike if not re.fullmatch(pattern, label[1])]
    return patterns, equals
