"""White space as a person sees it: what looks like nothing, in a text and around it.

Unicode's White_Space, the separators of ASCII, and the characters without width that files and web pages leave behind:
the zero-width space, the word joiner and the byte order mark. Joiners that shape letters are no white space.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.vectors import Flags, flags, matches, outer_bytes

_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACES += "\u2028\u2029\u202f\u205f\u3000"
_WITHOUT_WIDTH = "\u200b\u2060\ufeff"
_ALL = _SPACES + _WITHOUT_WIDTH
_AFTER_ASCII = 0x80  # the lowest byte of a character beyond ASCII
_FIRST_OF_TWO = 0xC2  # and the lowest that such a character begins with


def trimmed(text: pa.Array[Any]) -> pa.Array[Any]:
    """Texts without the white space before and after."""
    perhaps = _white_outside(text)
    if not perhaps.any():
        return text
    if perhaps.all():
        return pc.utf8_trim(text, characters=_ALL)
    some = pc.utf8_trim(text.filter(flags(perhaps)), characters=_ALL)
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
    text = pc.replace_substring_regex(text, f"[{_ALL}]*[{_SPACES}][{_ALL}]*", " ")
    return pc.replace_substring_regex(text, f"[{_WITHOUT_WIDTH}]+", "")


def is_white(text: pa.Array[Any]) -> Flags:
    """Which texts hold white space and nothing else; false for an empty one."""
    return matches(text, rf"\A[{_ALL}]+\z")
