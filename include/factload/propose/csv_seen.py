"""The encoding, delimiter and quotes of a csv file, inferred.

Python's ``csv.Sniffer`` looks at one piece of text and is often wrong about files with a preamble or decimal commas;
here each way of writing is tried on the file's beginning, and the one is taken that gives the best table.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from charset_normalizer import from_bytes
from isal import igzip

from factload.errors import WorkbookError
from factload.propose.header import FoundTable, find_table
from factload.sheet.block import Kind
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.file_kind import is_named_csv
from factload.sheet.inflate import BROKEN
from factload.sheet.rows import Row

_LOOKED_AT = 4 << 20  # bytes
_CHECKED = 64 << 20  # bytes that are looked through for one that is not UTF-8
_ROWS = 400
_DELIMITERS = (",", ";", "\t", "|", "^", "~")
_QUOTES = ('"', "", "'")
_ENOUGH = 0.8  # of the rows have as many fields as the header
_BOMS = (  # the longer ones first: UTF-32's begins as UTF-16's does
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"
# What texts of Western Europe hold beyond ASCII: letters, signs, dashes and quotation marks.
_WESTERN_SIGNS = {
    *map(chr, range(0xC0, 0x100)),
    *"\u0152\u0153\u0160\u0161\u017d\u017e\u0178\u20ac\u00a3\u00a7\u00b0\u00b4\u00b5\u00b7\u00ab\u00bb\u00a0",
    *"\u201e\u201c\u201d\u201a\u2018\u2019\u2013\u2014\u2026\u00a9\u00ae\u2122\u00b2\u00b3\u00bd\u00bc",
}


@dataclass(frozen=True, slots=True)
class SeenCsv:
    """How the file is written; ``doubt`` says what of it is not certain."""

    dialect: CsvDialect
    doubt: str = ""


def look_at_csv(path: Path) -> SeenCsv | None:
    """How the file is written, or nothing where it is no csv file.

    Raises WorkbookError for a file that is called one and can't be.
    """
    start = _beginning(path)
    if start[:8].startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return None
    encoding, doubt = _encoding(path, start)
    text = _decoded(start, encoding)
    if text is None:
        raise _unlikely(path, "it is neither a workbook nor text")
    found = _written(text, path)
    if found is None:
        if not text.strip():
            raise _unlikely(path, "it holds nothing")
        raise _unlikely(path, _why_no_table(text))
    delimiter, quote = found
    return SeenCsv(CsvDialect(encoding, delimiter, quote), doubt)


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                return file.read(_LOOKED_AT)
            with igzip.IGzipFile(fileobj=file) as inflated:  # type: ignore[no-untyped-call]
                return bytes(inflated.read(_LOOKED_AT))
    except (EOFError, OverflowError, igzip.BadGzipFile, *BROKEN) as error:
        raise _unlikely(path, "the gzip file can't be inflated") from error
    except OSError as error:
        raise _unlikely(path, f"it can't be read: {error.strerror}") from error


def _encoding(path: Path, start: bytes) -> tuple[str, str]:
    """The encoding, and what is not certain about it."""
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name, ""
    sample = start[:4096]
    if (zeros := sample.count(0)) > len(sample) // 4:
        return ("utf-16-le" if sample[1::2].count(0) * 2 > zeros else "utf-16-be"), "no byte order mark"
    if _is_utf8(path, start):
        return "utf-8", ""
    return _eight_bits(start)


def _is_utf8(path: Path, start: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(start)
        if start[:2] != b"\x1f\x8b":
            with path.open("rb") as file:
                if file.read(2) == b"\x1f\x8b":
                    return True
                file.seek(len(start))
                while len(start) < _CHECKED and (more := file.read(1 << 20)):
                    decoder.decode(more)
                    if file.tell() > _CHECKED:
                        break
    except UnicodeDecodeError:
        return False
    return True


def _eight_bits(start: bytes) -> tuple[str, str]:
    """One of the encodings with a byte a character: Western Europe's where its letters come out, else the likeliest."""
    doubt = "guessed: the file does not declare it"
    try:
        letters = [c for c in start.decode(_WESTERN) if c.isalpha()]
        strange = {c for c in start.decode(_WESTERN) if ord(c) > 127}
        # Where nearly every letter is beyond ASCII, the alphabet is another one.
        if strange <= _WESTERN_SIGNS and sum(c > "\x7f" for c in letters) * 3 <= len(letters):
            return _WESTERN, doubt
    except UnicodeDecodeError:
        pass
    best = from_bytes(start[: 1 << 18]).best()
    return (best.encoding.replace("_", "-") if best else "iso-8859-1"), doubt


def _decoded(data: bytes, encoding: str) -> str | None:
    """The text of the beginning of a file; the last character may be cut."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return None
    text = text.removeprefix("\ufeff")
    control = sum(c < " " and c not in "\t\r\n\f" for c in text[:4096])
    return None if control > len(text[:4096]) // 100 else text


def _written(text: str, path: Path) -> tuple[str, str] | None:
    """The delimiter and the quote that make the best table of a text."""
    named = is_named_csv(path) or path.suffix.lower() in (".tsv", ".tab", ".txt")
    best: tuple[float, str, str] | None = None
    for quote in _QUOTES:
        if quote and quote not in text:
            continue
        for delimiter in _DELIMITERS:
            if delimiter in text and (worth := _worth(text, delimiter, quote)) > (best[0] if best else 0):
                best = worth, delimiter, quote
    if best is not None:
        return best[1], best[2] or ('"' if '"' not in text else "")
    # One column has no delimiter.
    lines = text.splitlines()
    alone = named and lines and max(map(len, lines)) <= 200 and _worth(text, ",", '"', columns=1) > 0
    return (",", '"') if alone else None


def _worth(text: str, delimiter: str, quote: str, columns: int = 2) -> float:
    """How good a table comes out: how wide it is, how much of the file it is; 0 for none."""
    try:
        rows = list(_rows(text, delimiter, quote))
    except csv.Error:  # these quotes make no sense here
        return 0
    table = find_table([_row(n, fields) for n, fields in rows], "")
    if table is None or len(table.names) < columns:
        return 0
    width = next(len(fields) for n, fields in rows if n == table.row)
    below = [fields for n, fields in rows if n > table.row and any(fields)]
    alike = sum(len(fields) == width for fields in below) / len(below) if below else 0
    if alike < _ENOUGH:
        return 0
    return alike * (table.score + _loose(below, quote)) / (1 + _others_inside(table, below, delimiter))


def _why_no_table(text: str) -> str:
    """What a person sees in a text that has no table in it."""
    for delimiter in _DELIMITERS:
        try:
            widths = [len(fields) for _, fields in _rows(text, delimiter, '"') if any(fields)]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        if len(widths) == 1:
            return "it has a header and no rows"
        [(usual, often)] = Counter(widths[1:]).most_common(1)
        if often < _ENOUGH * len(widths[1:]) or usual < 2:
            continue
        if usual != widths[0]:
            return f"its first line has {widths[0]} fields, and the lines below it have {usual}"
        return "no line of it looks like a header, names above the values"
    return "its lines don't have the same number of fields, with any delimiter"


def _loose(below: list[list[str]], quote: str) -> float:
    """A little less for a way of quoting that leaves quotes around the texts."""
    marks = {'"', "'"} - {quote}
    left = sum(
        len(text) > 1 and text[0] == text[-1] and text[0] in marks for fields in below for text in fields
    )
    return -1.0 if left else 0.0


def _others_inside(table: FoundTable, below: list[list[str]], delimiter: str) -> float:
    """How many of the other delimiters stand in a row's texts, at the median: a sign that the wrong one was taken."""
    others = [d for d in (";", "\t", "|") if d != delimiter]
    counts = Counter(sum(text.count(d) for text in fields for d in others) for fields in below)
    named = sum(name.count(d) for name in table.names.values() for d in others)
    return min([named, counts.most_common(1)[0][0] if counts else 0])


def _rows(text: str, delimiter: str, quote: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )
    return islice(enumerate(reader, 1), _ROWS)


def _row(number: int, fields: list[str]) -> Row:
    cells = {i: (Kind.TEXT, text) for i, text in enumerate(fields, 1) if text}
    return Row(number, bool(cells), cells)


def _unlikely(path: Path, why: str) -> WorkbookError:
    return WorkbookError(
        "workbook_unlikely",
        f"{path.name} can't be read as a csv file: {why}"
        if is_named_csv(path)
        else f"{path.name} is no workbook, and no csv file either: {why}",
        expected="an .xlsx, .xlsm, .xls, .xlsb or .ods workbook, or a text file with delimiters (.csv, .tsv, .txt)",
        remedy="Name the file with the rows",
    )
