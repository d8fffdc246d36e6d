"""A csv file as a stream of UTF-8: inflated, decoded, checked against the limits."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

import numpy as np
from isal import igzip

from factload.errors import WorkbookError
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.file_errors import hostile
from factload.sheet.inflate import BROKEN
from factload.sheet.limits import Limits
from factload.sheet.workbook_file import WorkbookFile

_LF = ord("\n")
_GZIP = b"\x1f\x8b"
_RATIO_FROM = 4 << 20  # bytes: gzip, unlike a zip, says its size only at the end, and only of one member
_ISIZE = 4  # bytes at the end of a gzip member
_PROBED = 1 << 20  # bytes at a time
_ASCII = "k,m\n"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def line_feeds(data: bytes) -> int:
    """How many line feeds there are; ``bytes.count`` takes ten times as long."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == _LF))


class Stream(Protocol):
    """Something that gives bytes until it has none."""

    def read(self, size: int, /) -> bytes: ...


class Utf8Stream:
    """What the file holds, as UTF-8 without a byte order mark. Declared as UTF-8 it is passed on as it stands:
    whoever reads it finds what is not UTF-8, and says so by :func:`not_in_encoding`."""

    def __init__(self, raw: Stream, file: IO[bytes], dialect: CsvDialect, limits: Limits) -> None:
        self._raw, self._file, self._dialect, self._limits = raw, file, dialect, limits
        self._inflated = raw is not file
        self._decoder = None if dialect.is_utf8 else codecs.getincrementaldecoder(dialect.encoding)("strict")
        self._taken, self._lines, self._ended = 0, 0, False
        self._doubt = _Doubt() if self._decoder is not None and _has_ascii(dialect.encoding) else None

    @property
    def may_be_utf8(self) -> bool:
        """Whether a file that is declared to be in another encoding could be in UTF-8 as well, once it is read."""
        return self._doubt is not None and self._doubt.stands

    def read(self, size: int) -> bytes:
        """Some more bytes, b"" at the end. Raises WorkbookError."""
        while not self._ended:
            data = self._raw.read(size)
            self._ended = not data
            first, self._taken = not self._taken, self._taken + len(data)
            self._bound()
            if first and self._decoder is None:
                if data.startswith(_WIDE):
                    raise not_in_encoding(self._dialect.encoding, 1, "it begins as UTF-16 does")
                data = data.removeprefix(codecs.BOM_UTF8)
            elif first and data.startswith(codecs.BOM_UTF8):
                raise not_in_encoding(self._dialect.encoding, 1, "it begins with the mark of UTF-8")
            if self._doubt is not None:
                self._doubt.take(data)
            text = self._decoded(data)
            if first and self._decoder is not None:
                text = text.removeprefix(codecs.BOM_UTF8)
            if (at := text.find(b"\0")) >= 0:
                raise _nul(self._lines + text.count(b"\n", 0, at) + 1)
            self._lines += line_feeds(text)
            if text:
                return text
        return b""

    def _decoded(self, data: bytes) -> bytes:
        if self._decoder is None:
            return data
        try:
            return self._decoder.decode(data, not data).encode()
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(self._dialect.encoding, "replace")
            line = self._lines + before.count("\n") + 1
            raise not_in_encoding(self._dialect.encoding, line, error.reason) from error
        except UnicodeError as error:  # no byte order mark in UTF-16, or half a character
            raise not_in_encoding(self._dialect.encoding, self._lines + 1, str(error)) from error

    def _bound(self) -> None:
        limits, stored = self._limits, self._file.tell()
        if self._taken > limits.sheet_bytes:
            raise hostile(
                f"The file holds more than {limits.sheet_bytes:,} bytes",
                f"at most {limits.sheet_bytes:,}",
                "sheet_bytes",
            )
        if self._inflated:
            _bound_ratio(stored, self._taken, limits)


class _Doubt:
    """Whether bytes that are declared to be in another encoding are UTF-8, and not only ASCII: as they are when a file
    is delivered in UTF-8 all at once. In a true text of another encoding that takes strange words."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._beyond_ascii, self._fits = False, True

    @property
    def stands(self) -> bool:
        return self._beyond_ascii and self._fits

    def take(self, data: bytes) -> None:
        """Look at some more bytes; at none at the end."""
        if not self._fits:
            return
        try:
            self._decoder.decode(data, not data)
        except UnicodeDecodeError:
            self._fits = False
        self._beyond_ascii = self._beyond_ascii or not data.isascii()


def _has_ascii(encoding: str) -> bool:
    """Whether the encoding writes ASCII as ASCII."""
    return _ASCII.encode(encoding) == _ASCII.encode()


class _Inflating:
    """The bytes that a gzip file holds; its header ends within what is read of it at a time, or is no header."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = igzip.IGzipFile(fileobj=file)  # type: ignore[no-untyped-call]

    def read(self, size: int, /) -> bytes:
        try:
            return self._file.read(size)
        except OverflowError as error:
            raise igzip.BadGzipFile("its header is far longer than a name") from error


@contextmanager
def open_utf8(source: WorkbookFile, dialect: CsvDialect, limits: Limits) -> Iterator[Utf8Stream]:
    """The text of a csv file; one in gzip is inflated, whatever its name. Raises WorkbookError."""
    try:
        file = source.stream()
        packed = file.read(2) == _GZIP
        file.seek(0)
        if not packed:
            yield Utf8Stream(file, file, dialect, limits)
            return
        _refuse_a_bomb(file, limits)
        yield Utf8Stream(_Inflating(file), file, dialect, limits)
    except EOFError as error:
        raise _cut_off() from error
    except (igzip.BadGzipFile, *BROKEN) as error:
        raise WorkbookError(
            "workbook_damaged",
            f"The gzip file can't be inflated ({error})",
            expected="a whole, unaltered .csv.gz file",
            remedy="Deliver it again",
        ) from error


def _refuse_a_bomb(file: IO[bytes], limits: Limits) -> None:
    """Raise for a gzip file that inflates beyond the limit, by its trailer (RFC 1952, ISIZE) and in fact.

    The end of one that is cut off says anything. A bomb that says less is found as it is read: later, no less surely.
    """
    stored = file.seek(0, os.SEEK_END)
    file.seek(max(0, stored - _ISIZE))
    if _is_too_much(stored, int.from_bytes(file.read(_ISIZE), "little"), limits):
        file.seek(0)
        raw, taken = _Inflating(file), 0
        while data := raw.read(_PROBED):
            taken += len(data)
            _bound_ratio(stored, taken, limits)
    file.seek(0)


def _is_too_much(stored: int, inflated: int, limits: Limits) -> bool:
    return inflated > min(_RATIO_FROM, limits.ratio_from_bytes) and inflated > limits.ratio * stored


def _bound_ratio(stored: int, inflated: int, limits: Limits) -> None:
    if _is_too_much(stored, inflated, limits):
        raise hostile(
            f"{stored:,} bytes inflate to {inflated:,} and more", f"at most {limits.ratio} times", "ratio"
        )


def not_in_encoding(encoding: str, line: int, why: str) -> WorkbookError:
    """The error for bytes that are not text in the declared encoding."""
    return WorkbookError(
        "csv_encoding",
        f"Line {line:,} is not in the encoding {encoding} ({why})",
        expected="a text file in the encoding that the feed declares",
        remedy="Correct `workbook.csv.encoding` in the feed file, or save the file in that encoding",
    )


def _nul(line: int) -> WorkbookError:
    return WorkbookError(
        "csv_nul",
        f"Line {line:,} holds a NUL character, as no text does",
        expected="a text file in the encoding that the feed declares",
        remedy="If the file is in UTF-16, declare `workbook.csv.encoding: utf-16`; otherwise deliver it again",
    )


def _cut_off() -> WorkbookError:
    return WorkbookError(
        "workbook_truncated",
        "The gzip file breaks off before its end",
        expected="a whole .csv.gz file",
        remedy="Deliver it again, whole",
    )
