"""Words that a feed declares for nothing: ``-``, ``N/A``, ``-999``. A cell that shows one of them is blank."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.block import Column, Kind
from factload.sheet.doubles import as_excel_shows
from factload.sheet.names import pattern_of
from factload.sheet.numbers import parse_decimal
from factload.vectors import EMPTY, Flags, flags, matches


def without_nulls(column: Column, words: tuple[str, ...]) -> Column:
    """The column with a blank for each cell that shows one of ``words``.

    A text or an error shows what it holds, white space as a person sees it, and case counts. A number shows the word
    that has its value: ``-999`` is ``-999.0`` too.
    """
    kind = column.kind
    written = (kind == Kind.TEXT) | (kind == Kind.ERROR)
    found = written & matches(column.text, _pattern(words)) if written.any() else written
    numbers = _numbers(words)
    if numbers and (counted := kind == Kind.NUMBER).any():
        found = found | (counted & _are(column.text, counted, numbers))
    if not found.any():
        return column
    text = pc.if_else(flags(found), EMPTY[0], column.text)
    return Column(np.where(found, np.uint8(Kind.BLANK), kind), text)


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...]) -> str:
    return "|".join(map(pattern_of, words))


@lru_cache(maxsize=64)
def _numbers(words: tuple[str, ...]) -> frozenset[float]:
    """The words that are numbers. A double has more digits than Excel shows."""
    numbers = (parse_decimal(word.strip()) for word in words)
    return frozenset(float(number) for number in numbers if number is not None)


def _are(text: pa.Array, which: Flags, numbers: frozenset[float]) -> Flags:
    """Which of some texts, that are numbers in a sheet, are one of ``numbers`` as Excel shows them."""
    encoded = pc.if_else(flags(which), text, None).dictionary_encode()
    found = [_shown(raw) in numbers for raw in encoded.dictionary.to_pylist()]
    index = pc.fill_null(encoded.indices, len(found)).to_numpy()
    are: Flags = np.array([*found, False], np.bool_)[index]
    return are


def _shown(raw: str) -> float | None:
    number = parse_decimal(raw)
    return None if number is None else float(as_excel_shows(number))
