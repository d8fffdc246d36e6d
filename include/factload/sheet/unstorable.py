"""Characters that no database stores as text: NUL and unpaired UTF-16 surrogates.

A workbook can hold them, escaped (``_x0000_``, ``_xD800_``). A text that does keeps each as its escape with NUL for the
first underscore: no other text holds NUL, so one byte tells it from all that can be stored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from factload.vectors import Flags

_MARK = "\0"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def marked(text: str) -> str:
    """The text with its unstorable characters marked."""
    return _UNSTORABLE.sub(lambda found: f"{_MARK}x{ord(found[0]):04X}_", text)


def as_escaped(text: str) -> str:
    """A text as it may be shown and stored: what was marked is written as an escape, ``_x0000_``."""
    return text.replace(_MARK, "_")


def unstorable(text: pa.Array[Any]) -> Flags:
    """Which texts hold a marked character; false for null."""
    # Here: a process whose memory is bounded marks texts and has no need of Arrow.
    import numpy as np
    import pyarrow.compute as pc

    from factload.vectors import as_flags, characters

    if _MARK.encode() not in characters(text):
        return np.zeros(len(text), np.bool_)
    return as_flags(pc.match_substring(text, _MARK))
