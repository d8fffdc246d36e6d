"""The slow path: Python's csv module over lines, for quoting of any kind. It reports what is wrong."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from factload.errors import WorkbookError
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.csv.stream import Stream, not_in_encoding
from factload.sheet.file_errors import hostile
from factload.sheet.limits import Limits

_CHUNK = 1 << 18
_MOST_LINES = 2**31 - 1  # row numbers are 32 bits wide


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the line where it begins and the one where it ends, its bytes as UTF-8, its fields."""

    line: int
    last_line: int
    raw: bytes
    fields: list[str]


def read_exactly(stream: Stream, dialect: CsvDialect, limits: Limits) -> Iterator[Record]:
    """All records of a stream of UTF-8. Raises WorkbookError for quotes that don't close, and what follows one."""
    csv.field_size_limit(max(csv.field_size_limit(), limits.text_chars))  # of the whole process: never less
    lines = _Lines(stream, dialect, limits)
    reader = csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        begun = lines.number + 1
        lines.raw.clear()
        lines.size = 0
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refused(error, begun, lines.number, limits) from error
        if any(len(field) > limits.text_chars for field in fields):
            raise _too_long(begun, limits)
        yield Record(begun, lines.number, b"".join(lines.raw), fields)


class _Lines:
    """The lines of a stream with their ends, as text; those since ``raw`` was cleared are in ``raw``."""

    def __init__(self, stream: Stream, dialect: CsvDialect, limits: Limits) -> None:
        self.number, self.size = 0, 0
        self.raw: list[bytes] = []
        self._dialect, self._limits = dialect, limits
        self._lines = _lines(stream, limits)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.size += len(line)
        self.raw.append(line)
        if self.size > self._limits.row_bytes:
            raise hostile(
                f"The record that begins at line {self.number - len(self.raw) + 1:,} is longer than the limit; "
                "perhaps its quotes don't close",
                f"at most {self._limits.row_bytes:,} bytes",
                "row_bytes",
            )
        if self.number > _MOST_LINES:
            raise hostile("The file has too many lines", f"at most {_MOST_LINES:,}")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise not_in_encoding(self._dialect.encoding, self.number, error.reason) from error


def _lines(stream: Stream, limits: Limits) -> Iterator[bytes]:
    """Lines that end in a line feed, a carriage return, or both."""
    held: list[bytes] = []  # of a line that goes on: joined once, not at every chunk
    size = 0
    while chunk := stream.read(_CHUNK):
        held.append(chunk)
        size += len(chunk)
        if b"\n" in chunk or b"\r" in chunk:
            # The last may go on, or lack its line feed.
            *whole, rest = b"".join(held).splitlines(keepends=True)
            yield from whole
            held, size = [rest], len(rest)
        if size > limits.row_bytes:
            raise hostile(
                "A line of the file is longer than the limit",
                f"at most {limits.row_bytes:,} bytes",
                "row_bytes",
            )
    yield from b"".join(held).splitlines(keepends=True)


def _refused(error: csv.Error, begun: int, line: int, limits: Limits) -> WorkbookError:
    if "field limit" in str(error):
        return _too_long(begun, limits)
    if "unexpected end" in str(error):
        seen = f"The quote that opens in the record at line {begun:,} is never closed"
    else:
        seen = f"Text follows a closing quote in line {line:,}, in the record that begins at line {begun:,}"
    return WorkbookError(
        "csv_quotes",
        seen,
        expected="quotes around a whole field, and a quote within it written twice",
        remedy="Correct the file, or `workbook.csv.quote` in the feed file",
    )


def _too_long(line: int, limits: Limits) -> WorkbookError:
    return hostile(
        f"A text in the record at line {line:,} is longer than the limit",
        f"at most {limits.text_chars:,} characters",
        "text_chars",
    )
