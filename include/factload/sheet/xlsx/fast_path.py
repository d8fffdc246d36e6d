"""The fast path: rows as common programs write them, decoded column by column.

Reading cell by cell, in whatever language, builds an object for every cell of the sheet. Here a window of some
megabytes of XML is an array of bytes, and a handful of vector operations find all its tags, then all cells of
a mapped column, then all their values: a few nanoseconds a byte, and hardly any of them holds the interpreter
lock, so windows are decoded in parallel. It reads only what :mod:`factload.sheet.xlsx.plain_row_regex` calls plain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from factload.errors import WorkbookError
from factload.sheet.block import Block, Column, Kind, UInt16s
from factload.sheet.file_errors import damaged
from factload.sheet.pieces import NotPlain
from factload.sheet.rows import row_out_of_order
from factload.sheet.xlsx.excel_text import settle_some
from factload.sheet.xlsx.plain_row_regex import PRESERVE
from factload.sheet.xlsx.strings_table import SharedStrings
from factload.sheet.xlsx.xml_bytes import as_numbers, quoted_digits
from factload.vectors import Bytes, Flags, Positions, Words, flags, is_empty, matches, slices, words

FILLS = re.compile(rb'="(?:array|dataTable)"[^<>]* ref="[A-Z0-9]+:')
_REFERENCE_AT = len('<c r="')
_VALUE_AT = len("<v>")  # and of <t>; white space to keep makes the tag longer
_SHARED = 255  # a kind of this module: a shared string, until it is looked up
_KIND_OF = np.zeros(256, np.uint8)  # by the last letter of a cell's type: s, str, inlineStr, b, e, d, n
for _letter, _kind in zip(
    "srbed", (_SHARED, Kind.TEXT, Kind.BOOLEAN, Kind.ERROR, Kind.ISO_DATE), strict=True
):
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
class _Cells:
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
class _Found:
    """The rows' numbers, which of them carry a value, and the mapped cells with their kinds."""

    numbers: Positions
    valued: Flags
    cells: _Cells
    kind: Bytes


def read_plain(
    xml: bytes,
    columns: Sequence[int],
    strings: SharedStrings,
    date_styles: Mapping[int, Kind],
    *,
    keep_space: bool = False,
    stale: bool = False,
) -> Block:
    """The block of a piece of sheet XML that consists of plain rows only.

    ``keep_space``: the sheet around it keeps white space, so that texts do which don't say it themselves.
    ``stale``: the values of its formulas are out of date.

    Raises WorkbookError for row numbers that do not ascend, a cell that is there twice or in the wrong row, a
    shared string that isn't there; NotPlain for stale formulas that fill more cells than their own.
    """
    found = _found(xml, columns, date_styles, stale)
    rows = int(found.valued.sum())
    place = np.cumsum(found.valued) - 1  # of each row among those that carry a value

    where = found.cells.column.astype(np.int64) * rows + place.take(found.cells.row)
    every = _column_by_column(xml, found.cells, found.kind, where, len(columns) * rows, strings, keep_space)
    if stale and found.cells.formula.any():
        formula = _laid(found.cells.formula, where, len(every.kind))
        every.kind[formula & (every.kind != Kind.ERROR)] = Kind.STALE
    out = {column: every.slice(i * rows, rows) for i, column in enumerate(columns)}
    numbers = found.numbers
    return Block(numbers[found.valued].astype(np.int32), out, int(numbers[-1]) if len(numbers) else 0)


def _found(xml: bytes, columns: Sequence[int], date_styles: Mapping[int, Kind], stale: bool) -> _Found:
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
    return _Found(numbers, valued, cells, kind)


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
        raise _misplaced()
    return count


def _misplaced() -> WorkbookError:
    return damaged("The sheet has a cell that is there twice or claims another row")


def _tags(xml: bytes) -> _Tags:
    data = np.frombuffer(xml, np.uint8)
    opens = np.flatnonzero(data == ord("<"))
    letter = data[1:].take(opens)
    rows, cells = np.flatnonzero(letter == ord("r")), np.flatnonzero(letter == ord("c"))
    return _Tags(data, words(xml), opens, letter, rows, cells)


def _mapped_cells(tags: _Tags, columns: Sequence[int], stale: bool) -> _Cells:
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
    return _Cells(*_only(filled, column, row, digits_at, value_at, end, formula))


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


def _column_by_column(
    xml: bytes,
    cells: _Cells,
    kind: Bytes,
    where: Positions,
    size: int,
    strings: SharedStrings,
    keep_space: bool,
) -> Column:
    """All columns, one after another, as one of ``size`` places; the cells come to ``where``, the rest is blank.

    All at once, not one by one: a sheet of many columns has few rows in a window, and an operation on few values costs
    as much as one on thousands.
    """
    order = np.full(size, len(where), np.int64)
    order[where] = np.arange(len(where))
    if np.count_nonzero(order != len(where)) != len(where):
        raise _misplaced()
    kinds = np.zeros(size, np.uint8)
    kinds[where] = kind
    own = kind == Kind.TEXT
    data = np.frombuffer(xml, np.uint8)
    start, worded = cells.value_at + _VALUE_AT, bool(own.any())
    preserve = data[2:].take(cells.value_at) == ord(" ")
    if worded:
        start += len(PRESERVE) * preserve
        preserve |= keep_space
    text = slices(xml, start, cells.end, pa.string(), order)
    shared = kinds == _SHARED
    if shared.any():
        found = strings.take(text.filter(flags(shared)).cast(pa.int64()))
        text = found if shared.all() else pc.replace_with_mask(text, flags(shared), found)
        kinds[shared] = Kind.TEXT
    if worded:
        spaced = (data.take(start) <= ord(" ")) | (data.take(cells.end - 1) <= ord(" "))
        odd = _laid(own & ~preserve & spaced, where, size)
        if _may_hold_escapes(xml):
            odd |= _laid(own, where, size) & matches(text, "&|_x")
        text = settle_some(text, odd, _laid(preserve, where, size))
    kinds[is_empty(text)] = Kind.BLANK
    return Column(kinds, text)


def _laid(values: Flags, where: Positions, size: int) -> Flags:
    """Flags at some of ``size`` places, false elsewhere."""
    laid = np.zeros(size, np.bool_)
    laid[where] = values
    return laid


def _may_hold_escapes(xml: bytes) -> bool:
    return b"&" in xml or (b"_" in xml and b"_x" in xml)  # one byte is found many times as fast as two
