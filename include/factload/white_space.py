"""White space as a person sees it: what looks like nothing, in a text and around it.

Unicode's White_Space, the separators of ASCII, and the characters without width that files, web pages and programs
leave behind: the zero-width space, the word joiner, the byte order mark, the Mongolian vowel separator, and the marks
for the direction of writing, which stand around what is copied out of a table. Joiners that shape letters are no
white space.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.vectors import Flags, flags, matches, outer_bytes

_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACES += "\u2028\u2029\u202f\u205f\u3000"
_WITHOUT_WIDTH = (
    "\u180e\u200b\u200e\u200f\u2060\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\ufeff"
)
ANY = _SPACES + _WITHOUT_WIDTH  # for a character class of an expression, too
_AFTER_ASCII = 0x80  # the lowest byte of a character beyond ASCII
_FIRST_OF_TWO = 0xC2  # and the lowest that such a character begins with


def trimmed(text: pa.Array[Any]) -> pa.Array[Any]:
    """Texts without the white space before and after."""
    perhaps = _white_outside(text)
    if not perhaps.any():
        return text
    if perhaps.all():
        return pc.utf8_trim(text, characters=ANY)
    some = pc.utf8_trim(text.filter(flags(perhaps)), characters=ANY)
    return pc.replace_with_mask(text, flags(perhaps), some)


def _white_outside(text: pa.Array[Any]) -> Flags:
    """Which texts begin or end in a byte that white space may begin or end in: most have nothing to be trimmed."""
    first, last = outer_bytes(text)
    outside: Flags = (
        (first <= ord(" ")) | (first >= _FIRST_OF_TWO) | (last <= ord(" ")) | (last >= _AFTER_ASCII)
    )
    return outside


def collapsed(text: pa.Array[Any]) -> pa.Array[Any]:
    """Texts in which white space is one space each time; what has no width alone separates nothing, and goes."""
    text = pc.replace_substring_regex(text, f"[{ANY}]*[{_SPACES}][{ANY}]*", " ")
    return pc.replace_substring_regex(text, f"[{_WITHOUT_WIDTH}]+", "")


def is_white(text: pa.Array[Any]) -> Flags:
    """Which texts hold white space and nothing else; false for an empty one."""
    return matches(text, rf"\A[{ANY}]+\z")
