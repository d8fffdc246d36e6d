"""The numbers of rows, read from their bytes: only where these leave no doubt."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.pieces import NotPlain
from factload.sheet.xlsx.xml_bytes import as_numbers, quoted_digits
from factload.vectors import Positions, Words, fixed, slices, words

_TAG, _OPEN = b"<row", b'<row r="'
_OPENS = np.uint64(int.from_bytes(_OPEN, "little"))
_DIGITS = 7  # of a row's number, at most
_ZEROS, _SIXES, _HIGH_HALVES = (np.uint64(byte * 0x0101010101010101) for byte in (ord("0"), 6, 0xF0))
_SIGNS = (b"!", b"?")  # one byte is found many times as fast as two
NO_ELEMENTS = (b"<!", b"<?")  # a comment may hold what looks like a row
# Rows without cells may stand before the one that ends with </row>.
_NUMBER = r'\A\s*(?:<row(?:\s[^<>]*)?/>\s*)*<row(?:\s[^<>]*)?\sr="(?P<number>[0-9]{1,7})"(?:[^<>]*[^<>/])?>'


def row_numbers(xml: bytes, ends: Positions) -> Positions:
    """The number of each row that ends at ``ends``; ascending. Raises NotPlain where they can't be told for sure."""
    if any(mark in xml for mark in _SIGNS) and any(mark in xml for mark in NO_ELEMENTS):
        raise NotPlain
    starts = np.concatenate([[0], ends[:-1]])
    numbers = _at_once(xml, starts)
    if numbers is None:
        numbers = _one_by_one(xml, starts, ends)
    if (np.diff(numbers) <= 0).any():
        raise NotPlain
    return numbers


def _at_once(xml: bytes, starts: Positions) -> Positions | None:
    """The numbers of rows that all begin with ``<row r="``, as most programs write them; None of others."""
    if xml.count(_TAG) != len(starts):  # rows without cells, which don't end with </row>
        return None
    word = words(xml)
    if not (word[starts] == _OPENS).all():
        return None
    written = word[starts + len(_OPEN)]
    length, digits = quoted_digits(written)
    return as_numbers(digits) if _are_numbers(written, length) else None


def _are_numbers(word: Words, length: Positions) -> bool:
    """Whether each word begins with one to seven digits and a quote, as ``quoted_digits`` requires, which found the
    quotes behind this ``length``."""
    if ((length < 1) | (length > _DIGITS)).any():
        return False
    bits = length.astype(np.uint64) << np.uint64(3)
    digits = (word << (np.uint64(64) - bits)) | (_ZEROS >> bits)
    highs = (digits & _HIGH_HALVES) == _ZEROS
    return bool((highs & (((digits + _SIXES) & _HIGH_HALVES) == _ZEROS)).all())


def _one_by_one(xml: bytes, starts: Positions, ends: Positions) -> Positions:
    try:
        rows = slices(xml, starts, ends).cast(pa.string())
    except pa.ArrowInvalid as error:
        raise NotPlain from error
    found = pc.struct_field(pc.extract_regex(rows, _NUMBER), "number")
    if found.null_count:
        raise NotPlain
    return fixed(found.cast(pa.int64()), np.int64)
