"""The fast reader: rows written the way every common program writes them, decoded column by column.

Reading cell by cell, in whatever language, builds an object for every cell of the sheet. Here a window of some
megabytes of XML is an array of bytes, and a handful of vector operations find all its tags, then all cells of
a mapped column, then all their values: a few nanoseconds a byte, and hardly any of them holds the interpreter
lock, so windows are decoded in parallel. It reads only what :mod:`factload.grammar` calls plain.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from factload.block import Block, Column, Kind
from factload.cells import XML_SPACE, row_out_of_order, settle_text
from factload.grammar import PRESERVE
from factload.strings_table import SharedStrings
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
from factload.xml_parts import damaged

_VALUE_AT = len("<v>")  # and of <t>; white space to keep makes the tag longer
_SHARED = 255  # a kind of this module: a shared string, until it is looked up
_KIND_OF = np.zeros(256, np.uint8)  # by the last letter of a cell's type: s, str, inlineStr, b, e, d, n
for _letter, _kind in zip(
    "srbed", (_SHARED, Kind.TEXT, Kind.BOOLEAN, Kind.ERROR, Kind.ISO_DATE), strict=True
):
    _KIND_OF[ord(_letter)] = _kind
_KIND_OF[ord("n")] = Kind.NUMBER


@dataclass(frozen=True, slots=True)
class _Cells:
    """All cells of a piece that hold a value: their row (position in the piece), column (A = 1), and places.

    ``digits_at`` is where the row number within the reference begins, ``value_at`` the ``<`` of ``v`` or ``t``,
    ``end`` the ``<`` after the value.
    """

    row: npt.NDArray[np.int32]
    column: Positions
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
    data, word = np.frombuffer(xml, np.uint8), words(xml)
    opens = np.flatnonzero(data == ord("<"))
    tag = data[opens + 1]
    row_tag = tag == ord("r")
    length, numbers = quoted_digits(word[opens[row_tag] + len('<row r="')])
    _check_ascending(numbers)
    cells = _cells_with_value(data, word, opens, tag, row_tag)

    valued = np.zeros(len(numbers), np.bool_)
    valued[cells.row] = True
    rows = int(valued.sum())
    place = np.cumsum(valued) - 1  # position of a row → its place among the rows that carry a value
    out: dict[int, Column] = {}
    for column in columns:
        chosen = cells.column == column
        row = cells.row[chosen]
        digits_at, value_at, end = cells.digits_at[chosen], cells.value_at[chosen], cells.end[chosen]
        _check_references(word, digits_at, numbers[row], row)
        kind = _kinds(data, word, digits_at + length[row], date_styles)
        text = _values(xml, data, value_at, end, kind, strings)
        out[column] = _spread(kind, text, place[row], rows)
    return Block(numbers[valued].astype(np.int32), out, int(numbers[-1]) if len(numbers) else 0)


def _cells_with_value(data: Bytes, word: Words, opens: Positions, tag: Bytes, row_tag: Flags) -> _Cells:
    cell_tag = tag == ord("c")
    values = np.flatnonzero((tag == ord("v")) | (tag == ord("t")))
    at, end = opens[values], opens[values + 1]
    filled = data[end - 1] != ord(">")  # plain text holds no ">": a tag before the end is an empty value
    if not filled.all():
        values, at, end = values[filled], at[filled], end[filled]
    row = np.cumsum(row_tag, dtype=np.int32)[values] - 1
    cell = np.cumsum(cell_tag, dtype=np.int32)[values] - 1
    reference = opens[cell_tag][cell] + len('<c r="')
    column, letters = _column_letters(word[reference])
    return _Cells(row, column, reference + letters, at, end)


def _column_letters(word: Words) -> tuple[Positions, Positions]:
    """Column index (A = 1) of the one to three letters that each word begins with, and how many they are."""
    first, second, third = (word.view(np.uint8).reshape(-1, 8)[:, place] for place in range(3))
    column = first.astype(np.int64) - (ord("A") - 1)
    letters = np.ones(len(word), np.int64)
    for letter, before in ((second, 1), (third, 2)):
        more = (letter >= ord("A")) & (letters == before)  # digits come before letters
        if more.any():
            column[more] = column[more] * 26 + letter[more] - (ord("A") - 1)
            letters += more
    return column, letters


def _check_ascending(numbers: Positions) -> None:
    falls = np.flatnonzero(np.diff(numbers) <= 0)
    if len(falls):
        raise row_out_of_order(int(numbers[falls[0] + 1]), int(numbers[falls[0]]))


def _check_references(
    word: Words, digits_at: Positions, numbers: Positions, row: npt.NDArray[np.int32]
) -> None:
    _, written = quoted_digits(word[digits_at])
    if (written != numbers).any() or (np.diff(row) == 0).any():
        raise damaged("The sheet has a cell that is there twice or claims another row")


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
