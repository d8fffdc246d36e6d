"""A sign in a column of its own: ``S`` or ``H`` beside the amount.

Words in that column say whether the number beside them is negative; the number itself has no sign. A text counts as a
person sees it, with its case, and a number by its digits: ``40`` and ``50`` may be such words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.block import DATED, Column, Kind, UInt8s
from factload.sheet.names import pattern_of
from factload.vectors import Flags, as_flags, flags, matches

_NUMBERS = np.array([Kind.NUMBER, *DATED], np.uint8)
_A_SIGN = r"(?:\A|[^eE])[+\-\x{2212}]"  # of the number, not of its exponent


@dataclass(frozen=True, slots=True)
class Signs:
    """The words for negative numbers, and those for the others. Without the latter a blank cell says that a number is
    not negative."""

    minus: tuple[str, ...]
    plus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignsBeside:
    """What the column of signs says of each row's number. ``missing``: blank where a word is needed; ``unread``: the
    cell is a defect itself."""

    minus: Flags
    missing: Flags
    unread: Flags


def is_unknown(said: pa.Array[Any], signs: Signs) -> Flags:
    """Which texts are none of the words; a null is none that is unknown."""
    return as_flags(pc.is_valid(said)) & ~matches(said, _any_of(signs.minus + signs.plus))


def signs_beside(said: pa.Array[Any], unread: Flags, signs: Signs) -> SignsBeside:
    """What the typed texts of a column of signs say; ``unread``: of which nothing is known."""
    blank = as_flags(pc.is_null(said)) & ~unread
    missing = blank if signs.plus else np.zeros(len(blank), np.bool_)
    return SignsBeside(matches(said, _any_of(signs.minus)) & ~unread, missing, unread)


def has_own_sign(cells: Column, kind: UInt8s) -> Flags:
    """Which cells that are read as numbers (``kind``: as what) have a sign, as they stand in the sheet."""
    return np.isin(kind, _NUMBERS) & matches(cells.text, _A_SIGN)


def with_signs(column: Column, minus: Flags) -> Column:
    """The column with a minus before the numbers of these rows, which have no sign."""
    which = minus & np.isin(column.kind, _NUMBERS)
    if not which.any():
        return column
    negative = pc.binary_join_element_wise("-", column.text, "")
    return Column(column.kind, pc.if_else(flags(which), negative, column.text))


@lru_cache(maxsize=64)
def _any_of(words: tuple[str, ...]) -> str:
    return "|".join(map(pattern_of, words))
