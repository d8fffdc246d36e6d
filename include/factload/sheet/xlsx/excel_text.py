"""Raw character data as Excel shows it, for the few texts of a column where the two differ."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.file_errors import damaged
from factload.sheet.xlsx.character_data import XML_SPACE, settle_text
from factload.vectors import Flags, flags, matches, texts


def settle_some(text: pa.Array[Any], which: Flags, preserve: Flags) -> pa.Array[Any]:
    """Raw character data as Excel shows it: entities and escapes decoded, ends trimmed, one by one."""
    if not which.any():
        return text
    pairs = zip(text.filter(flags(which)).to_pylist(), preserve[which].tolist(), strict=True)
    settled = texts(settle_text(unescape(raw), keep) for raw, keep in pairs)
    return pc.replace_with_mask(text, flags(which), settled)


def needs_settling(text: pa.Array[Any]) -> Flags:
    """Which raw texts may look different in Excel."""
    return matches(text, rf"&|_x|\A[{XML_SPACE}]|[{XML_SPACE}]\z")


_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def unescape(text: str) -> str:
    """XML's five entities and its character references. Raises WorkbookError for one that is no character."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    if match[3]:
        return _NAMED[match[3]]
    digits, base = (match[1], 16) if match[1] else (match[2], 10)
    code = int(digits, base) if len(digits) < 10 else 0
    legal = (
        code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    )
    if not legal:
        raise damaged("The sheet holds a character reference that XML doesn't allow")
    return chr(code)
