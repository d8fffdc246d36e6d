"""The fast reader: rows written the way every common program writes them, decoded column by column.

Reading cell by cell, in whatever language, builds an object for every cell of the sheet. Here a window of some
megabytes of XML is an array of bytes, and a handful of vector operations find all its tags, then all cells of
a mapped column, then all their values: a few nanoseconds a byte, and hardly any of them holds the interpreter
lock, so windows are decoded in parallel. It reads only what :mod:`factload.sheet.grammar` calls plain.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.block import Block, Column, Kind
from factload.sheet.cells import XML_SPACE, column_letters, row_out_of_order, settle_text
from factload.sheet.grammar import PRESERVE
from factload.sheet.strings_table import SharedStrings
from factload.sheet.xml_parts import damaged
from factload.vectors import (
    EMPTY,
    Bytes,
    Flags,
    Positions,
    Words,
    flags,
    integers,
    is_empty,
    matches,
    quoted_digits,
    slices,
    texts,
    words,
)

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
    """The cells of one column that hold a value: the row each is in (by its place in the piece), where its
    row number begins, where its ``v`` or ``t`` opens and where the value ends."""

    row: Positions
    digits_at: Positions
    value_at: Positions
    end: Positions


def read_plain(
    xml: bytes, columns: Sequence[int], strings: SharedStrings, date_styles: Collection[int]
) -> Block:
    """The block of a piece of sheet XML that consists of plain rows only.

    Raises WorkbookError for row numbers that do not ascend, a cell that is there twice or in the wrong row, a
    shared string that isn't there.
    """
    tags = _tags(xml)
    _, numbers = quoted_digits(tags.word[tags.opens[tags.rows] + len('<row r="')])
    _check_ascending(numbers)
    first_letters = tags.data[tags.opens[tags.cells] + _REFERENCE_AT]
    mapped = {column: _cells_of(tags, column, first_letters) for column in columns}

    valued = np.zeros(len(numbers), np.bool_)
    for cells in mapped.values():
        valued[cells.row] = True
    if not valued.all():
        valued[_rows_with_any_value(tags)] = True
    rows = int(valued.sum())
    place = np.cumsum(valued) - 1  # of each row among those that carry a value
    out: dict[int, Column] = {}
    for column, cells in mapped.items():
        length, written = quoted_digits(tags.word[cells.digits_at])
        if (written != numbers[cells.row]).any() or (np.diff(cells.row) == 0).any():
            raise damaged("The sheet has a cell that is there twice or claims another row")
        kind = _kinds(tags.data, tags.word, cells.digits_at + length, date_styles)
        text = _values(xml, tags.data, cells.value_at, cells.end, kind, strings)
        out[column] = _spread(kind, text, place[cells.row], rows)
    return Block(numbers[valued].astype(np.int32), out, int(numbers[-1]) if len(numbers) else 0)


def _tags(xml: bytes) -> _Tags:
    data = np.frombuffer(xml, np.uint8)
    opens = np.flatnonzero(data == ord("<"))
    letter = data[opens + 1]
    rows, cells = np.flatnonzero(letter == ord("r")), np.flatnonzero(letter == ord("c"))
    return _Tags(data, words(xml), opens, letter, rows, cells)


def _cells_of(tags: _Tags, column: int, first_letters: Bytes) -> _Cells:
    letters = column_letters(column).encode()
    cell = tags.cells[first_letters == letters[0]]
    at = tags.opens[cell] + _REFERENCE_AT
    for offset, letter in enumerate(letters[1:], 1):
        same = tags.data[at + offset] == letter
        cell, at = cell[same], at[same]
    digits_at = at + len(letters)
    same = tags.data[digits_at] < ord("A")  # a digit: the name of the column ends here
    if not same.all():
        cell, digits_at = cell[same], digits_at[same]
    value = _value_tags(tags.letter, cell)
    there = _is_value(tags.letter[value])
    if not there.all():
        cell, digits_at, value = cell[there], digits_at[there], value[there]
    value_at, end = tags.opens[value], tags.opens[value + 1]
    # Plain text holds no ">", so a tag right before the end is the value's own: there is none.
    filled = tags.data[end - 1] != ord(">")
    if not filled.all():
        cell, digits_at, value_at, end = cell[filled], digits_at[filled], value_at[filled], end[filled]
    return _Cells(np.searchsorted(tags.rows, cell) - 1, digits_at, value_at, end)


def _value_tags(letter: Bytes, cell: Positions) -> Positions:
    """The tag where each cell's value would be: the next, or the one within ``is``, or after the formula."""
    value = cell + 1
    value += letter[value] == ord("i")
    formula = letter[value] == ord("f")
    if formula.any():
        value += formula
        value += formula & (letter[value] == ord("/"))
    return value


def _is_value(letter: Bytes) -> Flags:
    is_value: Flags = (letter == ord("v")) | (letter == ord("t"))
    return is_value


def _rows_with_any_value(tags: _Tags) -> Positions:
    values = np.flatnonzero(_is_value(tags.letter))
    filled = tags.data[tags.opens[values + 1] - 1] != ord(">")
    rows: Positions = np.searchsorted(tags.rows, values[filled]) - 1
    return rows


def _check_ascending(numbers: Positions) -> None:
    falls = np.flatnonzero(np.diff(numbers) <= 0)
    if len(falls):
        raise row_out_of_order(int(numbers[falls[0] + 1]), int(numbers[falls[0]]))


def _kinds(data: Bytes, word: Words, quote: Positions, date_styles: Collection[int]) -> Bytes:
    """What cells are, by the attributes that follow their reference; ``quote`` is where that ended."""
    attribute = data[quote + 2]  # after the quote and a space: s, t, or nothing of the kind
    letter = np.full(len(quote), ord("n"), np.uint8)
    type_first = attribute == ord("t")
    if type_first.any():
        letter[type_first] = _type_letter(data, quote[type_first] + len('" t="'))
    styled = np.flatnonzero(attribute == ord("s"))
    if not len(styled):
        return _KIND_OF[letter]
    style_at = quote[styled] + len('" s="')
    length, style = quoted_digits(word[style_at])
    after = style_at + length
    typed = data[after + 2] == ord("t")
    letter[styled[typed]] = _type_letter(data, after[typed] + len('" t="'))
    kind = _KIND_OF[letter]
    if date_styles:
        dated = styled[np.isin(style, list(date_styles))]
        kind[dated[kind[dated] == Kind.NUMBER]] = Kind.SERIAL
    return kind


def _type_letter(data: Bytes, at: Positions) -> Bytes:
    """The last letter of the types that begin here: one letter and a quote, or "str" or "inlineStr"."""
    return np.where(data[at + 1] == ord('"'), data[at], np.uint8(ord("r")))


def _values(
    xml: bytes, data: Bytes, value_at: Positions, end: Positions, kind: Bytes, strings: SharedStrings
) -> pa.Array[Any]:
    """The texts of the cells; ``kind`` is brought in line: shared strings are texts, empty texts are blank."""
    preserve = data[value_at + 2] == ord(" ")
    start = value_at + _VALUE_AT + len(PRESERVE) * preserve
    text = slices(xml, start, end).cast(pa.string())
    shared = kind == _SHARED
    if shared.any():
        found = strings.take(text.filter(flags(shared)).cast(pa.int64()))
        text = found if shared.all() else pc.replace_with_mask(text, flags(shared), found)
        kind[shared] = Kind.TEXT
    own = (kind == Kind.TEXT) & ~shared
    edge = own & ~preserve & ((data[start] <= ord(" ")) | (data[end - 1] <= ord(" ")))
    if own.any() and _holds_escapes(text):
        edge |= own & matches(text, "&|_x")
    text = settle_some(text, edge, preserve)
    kind[is_empty(text)] = Kind.BLANK
    return text


def _holds_escapes(text: pa.Array[Any]) -> bool:
    characters = text.buffers()[2].to_pybytes()  # of all texts, end to end
    return b"&" in characters or b"_x" in characters


def settle_some(text: pa.Array[Any], which: Flags, preserve: Flags) -> pa.Array[Any]:
    """Raw character data as Excel shows it: entities and escapes decoded, ends trimmed, one by one."""
    if not which.any():
        return text
    pairs = zip(text.filter(flags(which)).to_pylist(), preserve[which].tolist(), strict=True)
    settled = texts(settle_text(unescape(raw), keep) for raw, keep in pairs)
    return pc.replace_with_mask(text, flags(which), settled)


def needs_settling(text: pa.Array[Any]) -> Flags:
    """Which raw texts may look different in Excel."""
    return matches(text, rf"&|_x|\A[{XML_SPACE}]|[{XML_SPACE}]\z")


_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def unescape(text: str) -> str:
    """XML's five entities and its character references. Raises WorkbookError for one that is no character."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    if match[3]:
        return _NAMED[match[3]]
    digits, base = (match[1], 16) if match[1] else (match[2], 10)
    code = int(digits, base) if len(digits) < 10 else 0
    legal = (
        code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    )
    if not legal:
        raise damaged("The sheet holds a character reference that XML doesn't allow")
    return chr(code)


def _spread(kind: Bytes, text: pa.Array[Any], place: Positions, rows: int) -> Column:
    """Values at some places of a column as a column of all rows, blank elsewhere."""
    if len(place) == rows:
        return Column(kind, text)
    kinds = np.zeros(rows, np.uint8)
    kinds[place] = kind
    source = np.full(rows, len(text), np.int64)
    source[place] = np.arange(len(text))
    return Column(kinds, pa.concat_arrays([text, EMPTY]).take(integers(source)))
