"""Vector operations over the bytes of a sheet's XML: where rows end, and the numbers between quotes."""

from __future__ import annotations

import numpy as np

from factload.vectors import Flags, Positions, Words, words


def quoted_digits(word: Words) -> tuple[Positions, Words]:
    """How many bytes of each word stand before its first ``"``, and the digits they write, for ``as_numbers``.

    The words come from text known to hold one to seven digits and a quote.
    """
    ones, tops = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
    differs = word ^ (ones * np.uint64(ord('"')))
    quotes = (differs - ones) & ~differs & tops  # the lowest bit set marks the first quote
    before = np.bitwise_count((quotes & (~quotes + np.uint64(1))) - np.uint64(1)) >> np.uint8(3)
    shifted = word << (np.uint64(64) - (before.astype(np.uint64) << np.uint64(3)))
    return before.astype(np.int64), shifted & np.uint64(0x0F0F0F0F0F0F0F0F)


def as_numbers(digits: Words) -> Positions:
    """The numbers that eight digits write, one a byte, the last in the highest byte.

    Each step joins neighbours: https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/
    """
    pairs = ((digits * np.uint64(2561)) >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    fours = ((pairs * np.uint64(6553601)) >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    return ((fours * np.uint64(42949672960001)) >> np.uint64(32)).astype(np.int64)


_CLOSES = np.uint64(int.from_bytes(b"</row>", "little"))


_BEFORE_W = len("?x</ro")  # of the eight bytes that end with the tag: a row is longer than it


def row_ends(xml: bytes, start: int = 0, end: int | None = None) -> Positions:
    """The position after each ``</row>`` of ``xml[start:end]``, which ends with one."""
    data = np.frombuffer(xml, np.uint8)[start:end]
    w = np.flatnonzero(data == ord("w"))  # the rarest letter of the five, as sheets go
    w = w[(w >= _BEFORE_W) & (w < len(data) - 1)]
    closes: Flags = words(xml)[w + (start - _BEFORE_W)] >> np.uint64(16) == _CLOSES
    ends: Positions = w[closes] + 2 + start
    return ends
