"""Rows of an .xlsx sheet read one after another by the slow path: those in which a header is looked for, or all."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from itertools import takewhile

from factload.sheet.header import HEADER_WITHIN
from factload.sheet.limits import Limits
from factload.sheet.rows import Row
from factload.sheet.sheets import SheetPart
from factload.sheet.xlsx.package import Package
from factload.sheet.xlsx.slow_path import SheetParser, iterate
from factload.sheet.xlsx.strings_table import SharedStrings

_CHUNK = 1 << 16  # bytes
_FEW_ROWS = 1 << 13  # where the first rows are all that is wanted: the rest of a chunk is parsed for nothing


def first_rows(
    package: Package,
    sheet: SheetPart,
    strings: SharedStrings,
    limits: Limits,
    *,
    stale: bool,
    last: int = HEADER_WITHIN,
) -> Iterator[Row]:
    """The rows with numbers up to ``last``, read exactly.

    ``stale``: the values of their formulas are out of date.
    """
    with closing(_rows(package, sheet, strings, limits, stale, chunk=_FEW_ROWS)) as rows:
        yield from takewhile(lambda row: row.number <= last, rows)


def valued_rows(
    package: Package,
    sheet: SheetPart,
    strings: SharedStrings,
    limits: Limits,
    *,
    stale: bool,
    spread: Collection[int] = (),
) -> Iterator[Row]:
    """The rows that carry a value, read exactly; ``spread``: the columns whose cells other formulas may fill."""
    with closing(_rows(package, sheet, strings, limits, stale, spread)) as rows:
        yield from (row for row in rows if row.valued)


def _rows(
    package: Package,
    sheet: SheetPart,
    strings: SharedStrings,
    limits: Limits,
    stale: bool,
    spread: Collection[int] = (),
    chunk: int = _CHUNK,
) -> Generator[Row, None, None]:
    parser = SheetParser(
        sheet.part,
        strings,
        package.date_styles,
        spread=spread,
        max_chars=limits.text_chars,
        max_text_bytes=limits.window_text_bytes,
        stale=stale,
    )
    with package.open_part(sheet.part, limits.sheet_bytes) as stream:
        yield from iterate(parser, iter(lambda: stream.read(chunk), b""))
