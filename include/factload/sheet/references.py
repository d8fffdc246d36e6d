"""References to cells as a sheet writes them: ``B2``, ``A3:C3``."""

from __future__ import annotations

import re

_RANGE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Za-z]{1,3})\$?([0-9]{1,7}))?")


def column_index(letters: str) -> int:
    """1 for A, 27 for AA."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - ord("A") + 1
    return index


def column_letters(index: int) -> str:
    """A for 1, AA for 27."""
    letters = ""
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def corners(reference: str) -> tuple[int, int, int, int] | None:
    """The first row and column of a range, its last row and column; None for what is no range of cells."""
    match = _RANGE.fullmatch(reference.strip())
    if match is None:
        return None
    top, bottom = sorted((int(match[2]), int(match[4] or match[2])))
    left, right = sorted((column_index(match[1]), column_index(match[3] or match[1])))
    return top, left, bottom, right


def range_of(top: int, left: int, bottom: int, right: int) -> str:
    """The same the other way round: ``A3:C3``."""
    return f"{column_letters(left)}{top}:{column_letters(right)}{bottom}"
