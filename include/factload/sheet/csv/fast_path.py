"""The fast path: a block of records decoded column by column, with vector operations over its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.block import Block, Column, Kind
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.csv.records import Records, check_quotes, quote_positions, within
from factload.sheet.pieces import NotPlain
from factload.vectors import EMPTY, Flags, Positions, one_value, slices, taken

_LF, _CR = ord("\n"), ord("\r")
RAGGED_SHOWN = 1_000  # characters of a record that has no columns


@dataclass(frozen=True, slots=True)
class _Fields:
    """Every field of a block, without its quotes: where it begins and ends; the first field of each record, and
    how many it has."""

    start: Positions
    end: Positions
    first: Positions
    count: Positions


def read_records(
    records: Records, columns: Sequence[int], width: int, dialect: CsvDialect, max_chars: int
) -> Block:
    """The block of some records; those of another number of fields than ``width`` are ragged.

    Raises NotPlain for quotes that only the exact reader understands, bytes that are no UTF-8, or a field of more
    than ``max_chars`` bytes.
    """
    try:
        one_value(records.data).cast(pa.string())
    except pa.ArrowInvalid as error:
        raise NotPlain from error
    array = np.frombuffer(records.data, np.uint8)
    quotes = quote_positions(records.data, array, dialect.quote)
    if len(quotes):
        check_quotes(array, quotes, dialect)
    fields = _fields(records, quotes, width, dialect)
    length = fields.end - fields.start
    if len(length) and length.max() > max_chars:
        raise NotPlain
    valued = np.add.reduceat(length, fields.first) > 0
    good = valued & (fields.count == width)
    lines = _lines(records, len(quotes) > 0)
    line = lines[:-1]
    twice = bool((np.diff(quotes) == 1).any())
    place = np.cumsum(valued) - 1  # of each record among those that carry a value
    whole = bool(good.all())
    first = fields.first if whole else fields.first[good]
    rows, at = int(valued.sum()), place if whole else place[good]
    out = {
        column: _column(records.data, fields, first + (column - 1), at, rows, dialect.quote if twice else "")
        for column in columns
    }
    ragged = {int(place[i]): _shown(records, int(i)) for i in np.flatnonzero(valued & ~good)}
    last = (lines[1:] - 1)[valued].astype(np.int32) if len(quotes) else None
    return Block(line[valued].astype(np.int32), out, int(line[-1]) if len(line) else 0, ragged, last)


def _fields(records: Records, quotes: Positions, width: int, dialect: CsvDialect) -> _Fields:
    array = np.frombuffer(records.data, np.uint8)
    marks = np.flatnonzero((array == ord(dialect.delimiter)) | (array == _LF))
    if len(quotes):
        marks = marks[~within(marks, quotes)]
    start = np.empty_like(marks)
    start[:1], start[1:] = 0, marks[:-1] + 1
    end = marks.copy()
    last = _last_fields(marks, records.ends - 1, width)
    if b"\r" in records.data:
        end[last] -= (array[end[last] - 1] == _CR) & (end[last] > start[last])
    first = np.empty_like(last)
    first[:1], first[1:] = 0, last[:-1] + 1
    if len(quotes):
        quoted = (array[start] == ord(dialect.quote)) & (end > start)
        start += quoted
        end -= quoted
    return _Fields(start, end, first, last - first + 1)


def _last_fields(marks: Positions, line_feeds: Positions, width: int) -> Positions:
    """Which of the marks end a record: those at its line feed."""
    if len(marks) == len(line_feeds) * width and (marks[width - 1 :: width] == line_feeds).all():
        return np.arange(width - 1, len(marks), width)
    return np.searchsorted(marks, line_feeds)


def _lines(records: Records, quoted: bool) -> Positions:
    """The line where each record begins, and at last the one behind them."""
    if not quoted:
        return records.line + np.arange(len(records.ends) + 1)
    feeds = np.flatnonzero(np.frombuffer(records.data, np.uint8) == _LF)
    before = np.searchsorted(feeds, records.ends)
    return records.line + np.concatenate([[0], before])


def _column(data: bytes, fields: _Fields, at: Positions, place: Positions, rows: int, twice: str) -> Column:
    text = slices(data, fields.start[at], fields.end[at], pa.string())
    if twice:
        text = pc.replace_substring(text, twice * 2, twice)
    filled: Flags = fields.end[at] > fields.start[at]
    kind = np.where(filled, np.uint8(Kind.TEXT), np.uint8(Kind.BLANK))
    if len(place) == rows:
        return Column(kind, text)
    kinds = np.zeros(rows, np.uint8)
    kinds[place] = kind
    source = np.full(rows, len(text), np.int64)
    source[place] = np.arange(len(text))
    both: pa.Array[Any] = pa.concat_arrays([text, EMPTY])
    return Column(kinds, taken(both, source))


def _shown(records: Records, record: int) -> str:
    """A record as it stands in the file, its beginning at least."""
    start = int(records.ends[record - 1]) if record else 0
    data = records.data[start : min(int(records.ends[record]), start + 4 * RAGGED_SHOWN)]
    return data.decode("utf-8", "ignore").rstrip("\r\n")[:RAGGED_SHOWN]
