"""Where the cells of the mapped columns are in a piece of plain rows, where their values are, and of which kind.

A window of some megabytes of XML is an array of bytes, and a handful of vector operations find all its tags, then all
cells of a mapped column: a few nanoseconds a byte, and hardly any of them holds the interpreter lock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from factload.errors import WorkbookError
from factload.sheet.block import Kind, UInt16s
from factload.sheet.file_errors import damaged
from factload.sheet.pieces import NotPlain
from factload.sheet.rows import row_out_of_order
from factload.sheet.xlsx.xml_bytes import as_numbers, quoted_digits
from factload.vectors import Bytes, Flags, Positions, Words, words

FILLS = re.compile(rb'="(?:array|dataTable)"[^<>]* ref="[A-Z0-9]+:')
_REFERENCE_AT = len('<c r="')
SHARED = 255  # a kind of the fast path alone: a shared string, until it is looked up
_KIND_OF = np.zeros(256, np.uint8)  # by the last letter of a cell's type: s, str, inlineStr, b, e, d, n
for _letter, _kind in zip("srbed", (SHARED, Kind.TEXT, Kind.BOOLEAN, Kind.ERROR, Kind.ISO_DATE), strict=True):
    _KIND_OF[ord(_letter)] = _kind
_KIND_OF[ord("n")] = Kind.NUMBER


@dataclass(frozen=True, slots=True)
class _Tags:
    """Every tag of a piece: where it opens, the first letter of its name ("/" of a closing one)."""

    data: Bytes
    word: Words
    opens: Positions
    letter: Bytes
    rows: Positions  # which tags are row tags, and which are cells
    cells: Positions


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of mapped columns that hold a value, in the order of the sheet.

    For each: its column (by its place among the mapped ones), the row it is in (by its place in the piece),
    where its row number begins, where its ``v`` or ``t`` opens and where the value ends, whether it has a formula.
    """

    column: Bytes | UInt16s
    row: Positions
    digits_at: Positions
    value_at: Positions
    end: Positions
    formula: Flags


@dataclass(frozen=True, slots=True)
class Found:
    """The rows' numbers, which of them carry a value, and the mapped cells with their kinds."""

    numbers: Positions
    valued: Flags
    cells: Cells
    kind: Bytes


def found_cells(xml: bytes, columns: Sequence[int], date_styles: Mapping[int, Kind], stale: bool) -> Found:
    """Of a piece of sheet XML that consists of plain rows only: its rows, and its cells in these ``columns``.

    ``stale``: the values of its formulas are out of date. Raises WorkbookError for row numbers that do not ascend, or a
    cell in the wrong row; NotPlain for stale formulas that fill more cells than their own.
    """
    # All cells at once as long as possible: their bytes lie side by side, those of a column lie far apart. The tags,
    # most of what a window takes, are gone before values are made.
    tags = _tags(xml)
    if stale and (tags.letter == ord("f")).any() and FILLS.search(xml):
        raise NotPlain
    written = tags.word[len('<row r="') :][tags.opens.take(tags.rows)]
    length, row_digits = quoted_digits(written)
    numbers = as_numbers(row_digits)
    _check_ascending(numbers)
    cells = _mapped_cells(tags, columns, stale)
    digits = _digit_counts(tags.word[cells.digits_at], cells.row, written, length)
    kind = _kinds(tags.data, tags.word, cells.digits_at + digits, date_styles)
    valued = np.zeros(len(numbers), np.bool_)
    valued[cells.row] = True
    if not valued.all():
        valued[_rows_with_any_value(tags, stale)] = True
    return Found(numbers, valued, cells, kind)


def _digit_counts(digits: Words, row: Positions, written: Words, length: Positions) -> Positions:
    """How many digits each cell's row number has: its ``digits`` begin with them and a quote, as its row's do.

    Raises WorkbookError for a cell that claims another row.
    """
    count = length.take(row)
    beyond_quote = np.uint64(64) - ((count + 1).astype(np.uint64) << np.uint64(3))
    if not ((digits ^ written.take(row)) << beyond_quote).any():
        return count
    count, own = quoted_digits(digits)
    if (as_numbers(own) != as_numbers(quoted_digits(written)[1]).take(row)).any():
        raise misplaced()
    return count


def misplaced() -> WorkbookError:
    """The error of a cell that is there twice, or in the wrong row."""
    return damaged("The sheet has a cell that is there twice or claims another row")


def _tags(xml: bytes) -> _Tags:
    data = np.frombuffer(xml, np.uint8)
    opens = np.flatnonzero(data == ord("<"))
    letter = data[1:].take(opens)
    rows, cells = np.flatnonzero(letter == ord("r")), np.flatnonzero(letter == ord("c"))
    return _Tags(data, words(xml), opens, letter, rows, cells)


def _mapped_cells(tags: _Tags, columns: Sequence[int], stale: bool) -> Cells:
    at = tags.opens.take(tags.cells) + _REFERENCE_AT
    index, letters = _column_indices(tags.data, at)
    unmapped = len(columns)
    places = np.full(1 << 16, unmapped, np.min_scalar_type(unmapped))
    places[list(columns)] = np.arange(unmapped)
    column, cell, digits_at = places.take(index), tags.cells, at + letters
    row = np.repeat(np.arange(len(tags.rows)), np.diff(np.searchsorted(cell, tags.rows), append=len(cell)))
    column, row, cell, digits_at = _only(column != unmapped, column, row, cell, digits_at)

    value, formula = _value_tags(tags.letter, cell)
    value_at = tags.opens.take(value)
    # Clipped: a cell without a value can be the last before the last tag.
    end = tags.opens.take(value + 1, mode="clip")
    # Plain text holds no ">", so a tag right before the end is the value's own: there is none.
    filled = _is_value(tags.letter.take(value)) & (tags.data.take(end - 1) != ord(">"))
    if stale:
        filled |= formula  # an empty text that nobody ever sees
    return Cells(*_only(filled, column, row, digits_at, value_at, end, formula))


def _only(which: Flags, *arrays: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
    """The arrays at ``which`` places."""
    return arrays if which.all() else tuple(array[which] for array in arrays)


def _column_indices(data: Bytes, at: Positions) -> tuple[UInt16s, Bytes]:
    """The indices (A = 1) of the columns whose letters begin ``at``, and how many letters each has."""
    index = (data.take(at) - np.uint8(ord("A") - 1)).astype(np.uint16)
    letters = np.ones(len(at), np.uint8)
    for offset in (1, 2):
        letter = data[offset:].take(at)
        more = (letter >= ord("A")) & (letters == offset)  # else a digit: the name ended before
        if not more.any():
            break
        letters += more
        index = np.where(more, index * np.uint16(26) + (letter - np.uint8(ord("A") - 1)), index)
    return index, letters


def _value_tags(letter: Bytes, cell: Positions) -> tuple[Positions, Flags]:
    """The tag where each cell's value would be: the next, or the one within ``is``, or after the formula; and which
    cells have a formula."""
    value = cell + 1
    first = letter.take(value)
    value += first == ord("i")
    formula = first == ord("f")
    if formula.any():
        value += formula
        value += formula & (letter.take(value) == ord("/"))
    return value, formula


def _is_value(letter: Bytes) -> Flags:
    is_value: Flags = (letter == ord("v")) | (letter == ord("t"))
    return is_value


def _rows_with_any_value(tags: _Tags, stale: bool) -> Positions:
    values = np.flatnonzero(_is_value(tags.letter))
    filled = values[tags.data.take(tags.opens.take(values + 1) - 1) != ord(">")]
    if stale:
        filled = np.concatenate([filled, np.flatnonzero(tags.letter == ord("f"))])
    rows: Positions = np.searchsorted(tags.rows, filled) - 1
    return rows


def _check_ascending(numbers: Positions) -> None:
    falls = np.flatnonzero(np.diff(numbers) <= 0)
    if len(falls):
        raise row_out_of_order(int(numbers[falls[0] + 1]), int(numbers[falls[0]]))


def _kinds(data: Bytes, word: Words, quote: Positions, date_styles: Mapping[int, Kind]) -> Bytes:
    """What cells are, by the attributes that follow their reference; ``quote`` is where that ended."""
    attribute = data[2:].take(quote)  # after the quote and a space: s, t, or nothing of the kind
    letter = np.full(len(quote), ord("n"), np.uint8)
    type_first = np.flatnonzero(attribute == ord("t"))
    letter[type_first] = _type_letter(data, quote.take(type_first) + len('" t="'))
    styled = np.flatnonzero(attribute == ord("s"))
    if not len(styled):
        return _KIND_OF[letter]
    style_at = quote.take(styled) + len('" s="')
    length, digits = quoted_digits(word[style_at])
    after = style_at + length
    typed = data[2:].take(after) == ord("t")
    letter[styled[typed]] = _type_letter(data, after[typed] + len('" t="'))
    kind = _KIND_OF[letter]
    if date_styles:
        shown = np.full(max(date_styles) + 2, Kind.NUMBER, np.uint8)
        shown[list(date_styles)] = list(date_styles.values())
        as_shown = shown.take(as_numbers(digits), mode="clip")
        dated = (as_shown != Kind.NUMBER) & (kind[styled] == Kind.NUMBER)
        kind[styled[dated]] = as_shown[dated]
    return kind


def _type_letter(data: Bytes, at: Positions) -> Bytes:
    """The last letter of the types that begin here: one letter and a quote, or "str" or "inlineStr"."""
    return np.where(data[1:].take(at) == ord('"'), data.take(at), np.uint8(ord("r")))
