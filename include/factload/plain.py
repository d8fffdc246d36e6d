"""The fast reader: rows written the way every common program writes them, decoded column by column.

Reading cell by cell, in whatever language, builds an object for every cell of the sheet. Here a window of some
megabytes of XML is an array of bytes, and a handful of vector operations find all its tags, then all cells of
a mapped column, then all their values: a few nanoseconds a byte, and none of them holds the interpreter lock,
so windows are decoded in parallel.

It decides nothing by guessing: a regular expression that must match every byte of a row says what *plain* is
(:data:`ROW`). In what matches, ``<`` and ``>`` alternate strictly, the first letter of a tag tells the tag and
attributes stand in a known order; the code below relies on that and on nothing else. Whatever does not match
goes to :mod:`factload.cells`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from factload.block import Block, Column, Kind
from factload.cells import XML_SPACE, row_out_of_order, settle_text
from factload.strings_table import SharedStrings
from factload.xml_parts import damaged

Positions = npt.NDArray[np.int64]

_GAP = r"[ \t\n]*"
_ATTRIBUTES = r'(?: [A-Za-z0-9:]+="[^"<>&\r]*")*'
# Character data: no markup, no control characters, no carriage return (XML reads it as a line feed).
TEXT = r"(?:[^<>&\x00-\x08\x0b-\x1f]|&(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)*"
_SPACE = r'(?: xml:space="preserve")?'
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_STYLE = r'(?: s="[0-9]+")?'
_FORMULA = rf"(?:<f{_ATTRIBUTES}(?: ?/>|>{TEXT}</f>))?"


def _typed(name: str) -> str:
    return rf'(?:{_STYLE} t="{name}"| t="{name}" s="[0-9]+")'


_CELL = (
    r'<c r="[A-Z]{1,3}[0-9]{1,7}"(?:'
    rf'{_STYLE}(?: t="n")?(?:>{_FORMULA}<v>{_NUMBER}</v></c>| ?/>|></c>)'
    rf"|{_typed('s')}(?:><v>[0-9]{{1,9}}</v></c>| ?/>)"
    rf"|{_typed('inlineStr')}><is><t{_SPACE}>{TEXT}</t></is></c>"
    rf"|{_typed('str')}>{_FORMULA}<v{_SPACE}>{TEXT}</v></c>"
    rf"|{_typed('b')}>{_FORMULA}<v>[01]</v></c>"
    rf"|{_typed('e')}>{_FORMULA}<v>#[A-Z0-9/!?_]+</v></c>"
    rf"|{_typed('d')}>{_FORMULA}<v>[-0-9T:.Z+]+</v></c>"
    r")"
)
_OPEN = rf'<row r="[0-9]{{1,7}}"{_ATTRIBUTES}'
ROW = rf"{_GAP}(?:{_OPEN} ?/>{_GAP})*{_OPEN}>{_GAP}(?:{_CELL}{_GAP})*</row>"
_ALL_ROWS = rf"\A(?:{ROW})*\z"
_ONE_ROW = rf"\A{ROW}\z"

_END = b"</row>"
_TYPE_KINDS = np.zeros(256, np.uint8)
_SHARED = 255  # until looked up
for _letter, _kind in (
    ("s", _SHARED),
    ("r", Kind.TEXT),
    ("b", Kind.BOOLEAN),
    ("e", Kind.ERROR),
    ("d", Kind.ISO_DATE),
):
    _TYPE_KINDS[ord(_letter)] = _kind
for _letter in "0123456789n":  # the end of a reference, of a style, or t="n"
    _TYPE_KINDS[ord(_letter)] = Kind.NUMBER

_ODD_TEXT = rf"&|_x|\A[{XML_SPACE}]|[{XML_SPACE}]\z"


def one_value(data: bytes) -> pa.Array[Any]:
    """``data`` as a binary array of one element, not copied."""
    offsets = np.array([0, len(data)], np.int32)
    return pa.Array.from_buffers(pa.binary(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def slices(data: bytes, starts: Positions, ends: Positions) -> pa.Array[Any]:
    """``data[start:end]`` for ascending, disjoint pairs, as a binary array."""
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[0:-1:2], offsets[1::2] = starts, ends
    offsets[-1] = offsets[-2] if len(starts) else 0
    whole = pa.Array.from_buffers(
        pa.binary(), 2 * len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    return whole.take(pa.array(np.arange(0, 2 * len(starts), 2)))


def matches(values: pa.Array[Any], pattern: str) -> npt.NDArray[np.bool_]:
    """Which values the RE2 pattern is found in."""
    found = pc.match_substring_regex(values, pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)


def split_plain(xml: bytes) -> tuple[bytes, bytes]:
    """Divide a window, which ends with ``</row>``, into its plain rows and the others, in order."""
    if matches(one_value(xml), _ALL_ROWS)[0]:
        return xml, b""
    data = np.frombuffer(xml, np.uint8)
    close = np.flatnonzero((data[:-5] == ord("<")) & (data[1:-4] == ord("/")) & (data[2:-3] == ord("r")))
    ends = np.array([p for p in close.tolist() if xml.startswith(_END, p)], np.int64) + len(_END)
    starts = np.concatenate([[0], ends[:-1]])
    rows = slices(xml, starts, ends)
    plain = matches(rows, _ONE_ROW)
    return _joined(rows.filter(pa.array(plain))), _joined(rows.filter(pa.array(~plain)))


def _joined(rows: pa.Array[Any]) -> bytes:
    return b"".join(rows.to_pylist())


def read_plain(
    xml: bytes, columns: Sequence[int], strings: SharedStrings, date_styles: Collection[int]
) -> Block:
    """The block of a piece of sheet XML that consists of plain rows only.

    Raises WorkbookError for row numbers that do not ascend, a cell that is there twice or in the wrong row, a
    shared string that isn't there.
    """
    data = np.frombuffer(xml + b"\0\0\0\0\0\0\0\0", np.uint8)  # so that looking ahead never runs out
    opens, closes = np.flatnonzero(data == ord("<")), np.flatnonzero(data == ord(">"))
    tag = data[opens + 1]
    row_tags, cell_tags = np.flatnonzero(tag == ord("r")), np.flatnonzero(tag == ord("c"))
    value_tags = np.flatnonzero((tag == ord("v")) | (tag == ord("t")))
    value_tags = value_tags[opens[value_tags + 1] > closes[value_tags] + 1]  # not the empty ones

    numbers = _digits(data, opens[row_tags] + len('<row r="'))
    falls = np.flatnonzero(np.diff(numbers) <= 0)
    if len(falls):
        raise row_out_of_order(int(numbers[falls[0] + 1]), int(numbers[falls[0]]))
    row_of_value = np.searchsorted(row_tags, value_tags) - 1
    valued = np.zeros(len(row_tags), np.bool_)
    valued[row_of_value] = True
    place = np.cumsum(valued) - 1  # row tag → its place among the rows that carry a value
    cell_of_value = np.searchsorted(cell_tags, value_tags) - 1
    holds = cell_tags[cell_of_value]  # the cells with a value, one for each value
    references = opens[holds] + len('<c r="')
    index, digits_at = _column_indices(data, references)

    out: dict[int, Column] = {}
    for column in columns:
        chosen = np.flatnonzero(index == column)
        at_row = row_of_value[chosen]
        written, after = _digits_and_end(data, digits_at[chosen])
        if (written != numbers[at_row]).any() or (np.diff(at_row) == 0).any():
            raise damaged("The sheet has a cell that is there twice or claims another row")
        cell, value = holds[chosen], value_tags[chosen]
        kind = _kinds(data, after, closes[cell], date_styles)
        text = slices(xml, closes[value] + 1, opens[value + 1]).cast(pa.string())
        preserve = closes[value] - opens[value] > 2
        out[column] = _spread(kind, _settled(kind, text, preserve, strings), place[at_row], int(valued.sum()))
    last = int(numbers[-1]) if len(numbers) else 0
    return Block(numbers[valued].astype(np.int32), out, last)


def _digits(data: npt.NDArray[np.uint8], at: Positions) -> Positions:
    return _digits_and_end(data, at)[0]


def _digits_and_end(data: npt.NDArray[np.uint8], at: Positions) -> tuple[Positions, Positions]:
    """The whole numbers of at most 7 digits that begin at these positions, and where each ends."""
    number, end = np.zeros(len(at), np.int64), at.copy()
    going = np.ones(len(at), np.bool_)
    for _ in range(8):
        digit = data[end].astype(np.int64) - ord("0")
        going &= (digit >= 0) & (digit <= 9)
        if not going.any():
            break
        number = np.where(going, number * 10 + digit, number)
        end += going
    return number, end


def _column_indices(data: npt.NDArray[np.uint8], at: Positions) -> tuple[Positions, Positions]:
    """Column index (A = 1) of the references that begin at these positions, and where their digits begin."""
    index, end = np.zeros(len(at), np.int64), at.copy()
    going = np.ones(len(at), np.bool_)
    for _ in range(3):
        letter = data[end].astype(np.int64) - ord("A") + 1
        going &= letter >= 1
        if not going.any():
            break
        index = np.where(going, index * 26 + letter, index)
        end += going
    return index, end


def _kinds(
    data: npt.NDArray[np.uint8], after: Positions, close: Positions, date_styles: Collection[int]
) -> npt.NDArray[np.uint8]:
    """What cells are by the letter that tells it: the last of the tag, or of ``t`` where a style follows it.

    ``after`` is where the reference ended (its closing quote), ``close`` the tag's ``>``.
    """
    type_first = data[after + 2] == ord("t")
    letter = np.where(type_first, _last_letter_of_type(data, after + len('" t="')), data[close - 2])
    kind = _TYPE_KINDS[letter]
    if date_styles:
        styled = np.flatnonzero((data[after + 2] == ord("s")) & (kind == Kind.NUMBER))
        style = _digits(data, after[styled] + len('" s="'))
        kind[styled[np.isin(style, list(date_styles))]] = Kind.SERIAL
    return kind


def _last_letter_of_type(data: npt.NDArray[np.uint8], at: Positions) -> npt.NDArray[np.uint8]:
    # One letter and the closing quote, or "str", or "inlineStr": both end with r.
    return np.where(data[at + 1] == ord('"'), data[at], np.uint8(ord("r")))


def _settled(
    kind: npt.NDArray[np.uint8],
    text: pa.Array[Any],
    preserve: npt.NDArray[np.bool_],
    strings: SharedStrings,
) -> pa.Array[Any]:
    """Shared strings looked up, entities and escapes decoded, ends trimmed; ``kind`` is brought in line."""
    shared = kind == _SHARED
    if shared.any():
        found = strings.take(text.filter(pa.array(shared)).cast(pa.int64()))
        text = found if shared.all() else pc.replace_with_mask(text, pa.array(shared), found)
        kind[shared] = Kind.TEXT
    own = (kind == Kind.TEXT) & ~shared
    if own.any():
        text = settle_all(text, own, preserve)
    empty = np.asarray(pc.equal(pc.binary_length(text), 0).to_numpy(zero_copy_only=False))
    kind[empty] = Kind.BLANK
    return text


def settle_all(
    text: pa.Array[Any], which: npt.NDArray[np.bool_], preserve: npt.NDArray[np.bool_]
) -> pa.Array[Any]:
    """Raw character data as Excel shows it. The few texts that need it are settled one by one."""
    odd = which & matches(text, _ODD_TEXT)
    if not odd.any():
        return text
    pairs = zip(text.filter(pa.array(odd)).to_pylist(), preserve[odd].tolist(), strict=True)
    settled = [settle_text(unescape(raw), keep) for raw, keep in pairs]
    return pc.replace_with_mask(text, pa.array(odd), pa.array(settled, pa.string()))


_ENTITY = re.compile(r"&(#x[0-9a-fA-F]+|#[0-9]+|amp|lt|gt|quot|apos);")


def unescape(text: str) -> str:
    """XML's five entities and its character references. Raises WorkbookError for one that is no character."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if not name.startswith("#"):
        return html.unescape(match[0])
    code = int(name[2:], 16) if name[1] == "x" else int(name[1:])
    legal = (
        code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    )
    if not legal:
        raise damaged("The sheet holds a character reference that XML doesn't allow")
    return chr(code)


def _spread(kind: npt.NDArray[np.uint8], text: pa.Array[Any], place: Positions, rows: int) -> Column:
    """Values at some places of a column as a column of all rows, blank elsewhere."""
    if len(place) == rows:
        return Column(kind, text)
    kinds = np.zeros(rows, np.uint8)
    kinds[place] = kind
    source = np.full(rows, len(text), np.int64)
    source[place] = np.arange(len(text))
    return Column(kinds, pa.concat_arrays([text, pa.array([""])]).take(pa.array(source)))
