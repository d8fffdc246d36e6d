"""Rows below a header that are not data: totals, balances, notes at the end, repeated headers, units of measure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from factload.propose.column_types import NULLS
from factload.propose.header import FoundTable, is_value
from factload.sheet.block import Kind
from factload.sheet.rows import Row

_ALL = (
    r"(?:(?:grand|sub|report|overall|gesamt|zwischen)[\s-]?)?(?:totals?|sums?|summen?|gesamt(?:summe)?|insgesamt|"
    r"somme|totaux|total\s+g[eé]n[eé]ral)\b"
)
_TOTAL = re.compile(_ALL + r".{0,40}|.{1,60}\s(?:total|summe|gesamt|result|ergebnis)\s*:?", re.IGNORECASE)
_BALANCE = re.compile(
    r"(?:end|anfangs|schluss|neuer\s|alter\s)-?saldo\b.{0,40}|kontostand\b.{0,40}|saldo-?vortrag\b.{0,40}|"
    r"(?:closing|opening|ending|beginning)\s+balance\b.{0,40}|(?:balance\s+)?(?:brought|carried)\s+forward\b.{0,40}",
    re.IGNORECASE,
)
_MEAN_OR_COUNT = re.compile(
    r"(?:average|avg|mean|median|minimum|maximum|durchschnitt|mittelwert|moyenne|\u00f8|anzahl|count|"
    r"(?:number\s+of\s+)?(?:rows|records)|datens[aä]tze)\s*:?\s*[0-9]*",
    re.IGNORECASE,
)
STARS = re.compile(r"\*+")  # before SAP's subtotals
_OF_ALL = re.compile(_ALL + r"\s*:?", re.IGNORECASE)
_PART = re.compile(r"sub|zwischen", re.IGNORECASE)
THE_HEADER, A_NOTE, _A_TOTAL, _UNITS = "the header again", "a note", "a total", "units of measure"
_FEWEST_ROWS, _LONGEST_UNIT = 4, 12
_SPARSE = 3  # columns: with fewer a row of one cell says nothing


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row that looks like a total, a note or a header: its number, the columns that hold something in it, and the
    first text, by its column, that tells it from rows of data."""

    number: int
    columns: frozenset[int]
    what: str
    label: tuple[int, str] | None = None


def is_grand_total(label: str) -> bool:
    """Whether a label says that the row is of all rows above it, and of no part of them."""
    return _OF_ALL.fullmatch(label) is not None and not _PART.match(label)


def odd_rows(found: FoundTable, rows: Sequence[Row]) -> tuple[OddRow, ...]:
    """The odd ones among the rows below a header."""
    filled = {row.number: _filled(row, found) for row in rows}
    usual = median(len(columns) for columns in filled.values()) if filled else 0
    last = max((row.number for row in rows if _may_be_data(row, filled[row.number], found, usual)), default=0)
    parted = last + 1 not in filled
    odd: list[OddRow] = []
    for row in rows:
        columns = filled[row.number]
        what = _what(row, columns, found, usual, last)
        below_sum = bool(odd) and odd[-1].what == _A_TOTAL and odd[-1].number > last
        if not what and below_sum and _is_label(_label_of(row, columns, found)):
            what = _A_TOTAL  # a mean of the same rows
        if row is rows[0] and _names_units(row, columns, rows[1:]):
            what = _UNITS
        if not what and parted and row.number > last and 0 < 2 * len(columns) <= usual >= _SPARSE:
            what = A_NOTE  # below a blank row, with few cells: a closing balance, a signature
        if what:
            label = next(iter(_texts(row, columns, found)), None) if what != A_NOTE else None
            odd.append(OddRow(row.number, frozenset(columns), what, label))
    # Where half of the rows are odd, it is the table that is.
    return tuple(odd) if len(odd) * 2 < len(rows) else ()


def _may_be_data(row: Row, columns: Sequence[int], found: FoundTable, usual: float) -> bool:
    return len(columns) * 2 > usual and not _is_label(_label_of(row, columns, found))


def _filled(row: Row, found: FoundTable) -> list[int]:
    return [i for i in sorted(row.cells) if i in found.names and row.cells[i][1].strip()]


def _texts(row: Row, columns: Sequence[int], found: FoundTable) -> list[tuple[int, str]]:
    """The texts that may be its label, by column: first in columns without a name."""
    nameless = [i for i in found.blank if i in row.cells and _is_label(row.cells[i][1].strip())]
    return [(i, row.cells[i][1]) for i in (*nameless, *columns) if row.cells[i][0] == Kind.TEXT]


def _label_of(row: Row, columns: Sequence[int], found: FoundTable) -> str:
    return next((text.strip() for _, text in _texts(row, columns, found)), "")


def _is_label(text: str) -> bool:
    return any(label.fullmatch(text) for label in (STARS, _TOTAL, _BALANCE, _MEAN_OR_COUNT))


def _names_units(row: Row, columns: Sequence[int], below: Sequence[Row]) -> bool:
    """Whether the row has short texts above columns of values, and nothing else: EUR, kg, °C."""
    if len(below) < _FEWEST_ROWS or len(columns) < 2:
        return False
    for i in columns:
        kind, text = row.cells[i][0], row.cells[i][1].strip()
        held = [other.cells[i] for other in below if i in other.cells and other.cells[i][1].strip()]
        values = sum(is_value(*cell) for cell in held)
        if kind != Kind.TEXT or is_value(kind, text) or text in NULLS or len(text) > _LONGEST_UNIT:
            return False
        if 2 * values <= len(held):
            return False
    return True


def _what(row: Row, columns: Sequence[int], found: FoundTable, usual: float, last: int) -> str:
    if not columns:
        return ""
    names = sum(row.cells[i][1].strip() == found.names[i] for i in columns)
    if names * 2 > len(columns) and names >= 2:
        return THE_HEADER
    label = _label_of(row, columns, found)
    if _is_label(label) and (
        len(columns) < usual or (row.number >= last and not _MEAN_OR_COUNT.fullmatch(label))
    ):
        return _A_TOTAL
    sparse = len(columns) == 1 and usual >= _SPARSE
    return A_NOTE if sparse and row.number > last else ""
