"""Normalisation of business keys: one function, applied to the sheet's keys and to the dimension's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.feed.dimensions import KeyType
from factload.feed.normalize_steps import NormalizeStep
from factload.sheet.numbers import parse_decimal, plain_text
from factload.vectors import as_flags, flags, matches, texts
from factload.white_space import collapsed, trimmed

_SEPARATOR = "\x1f"  # ASCII's unit separator, between the parts of a composite key
_ESCAPE = "\x1b"
_PLAIN_WHOLE = r"\A(?:0|-?[1-9][0-9]*)\z"


def _casefold(keys: pa.Array, _: Any) -> pa.Array:
    # Arrow has no casefold; for ASCII, lower is the same.
    folded = pc.utf8_lower(keys)
    other = ~as_flags(pc.fill_null(pc.string_is_ascii(keys), True))
    if not other.any():
        return folded
    spelt = keys.filter(flags(other)).to_pylist()
    return pc.replace_with_mask(folded, flags(other), texts(key.casefold() for key in spelt))


def _strip_prefix(keys: pa.Array, prefix: str) -> pa.Array:
    rest = pc.utf8_slice_codeunits(keys, start=len(prefix))
    return pc.if_else(pc.starts_with(keys, prefix), rest, keys)


_STEPS: Mapping[str, Callable[[pa.Array, Any], pa.Array]] = {
    "trim": lambda keys, _: trimmed(keys),
    "collapse_spaces": lambda keys, _: collapsed(keys),
    "upper": lambda keys, _: pc.utf8_upper(keys),
    "lower": lambda keys, _: pc.utf8_lower(keys),
    "casefold": _casefold,
    "nfc": lambda keys, _: pc.utf8_normalize(keys, form="NFC"),
    "zero_pad": lambda keys, width: pc.utf8_lpad(keys, width, "0"),
    "strip_prefix": _strip_prefix,
}


def normalize(keys: pa.Array, steps: Sequence[NormalizeStep], kind: KeyType = "text") -> pa.Array:
    """Normalised business keys (strings); a key that is blank before or after becomes null.

    Where the ``kind`` is a number's, so does one that is none, and the others are the number's plain digits.
    """
    keys = _none_for_blank(keys)
    if kind in ("integer", "decimal"):
        return _numbers(keys, whole=kind == "integer")
    for step in steps:
        keys = _STEPS[step.name](keys, step.argument)
    return _none_for_blank(keys) if steps else keys


def _numbers(keys: pa.Array, *, whole: bool) -> pa.Array:
    """The numbers that texts write in digits, each as the one text of it: `2` for `02`, ` 2 ` and `2.0`."""
    odd = as_flags(keys.is_valid()) & ~matches(keys, _PLAIN_WHOLE)
    if not odd.any():
        return keys
    encoded = trimmed(keys.filter(flags(odd))).dictionary_encode()
    spelt = texts(_number(key, whole=whole) for key in encoded.dictionary.to_pylist())
    return pc.replace_with_mask(keys, flags(odd), spelt.take(encoded.indices))


def _number(key: str, *, whole: bool) -> str | None:
    number = None if "e" in key.lower() else parse_decimal(key)
    if number is None or (whole and number != number.to_integral_value()):
        return None
    return plain_text(number)


def _none_for_blank(keys: pa.Array) -> pa.Array:
    blank = pc.equal(pc.binary_length(trimmed(keys)), 0)
    return pc.if_else(blank, None, keys) if pc.any(blank).as_py() else keys


def join_parts(parts: Sequence[pa.Array]) -> pa.Array:
    """One text for each composite key, different for different keys; null where a part is."""
    if len(parts) == 1:
        return parts[0]
    pattern = f"[{_SEPARATOR}{_ESCAPE}]"
    escaped = [
        pc.replace_substring_regex(part, f"({pattern})", rf"{_ESCAPE}\1")
        if pc.any(pc.match_substring_regex(part, pattern)).as_py()
        else part
        for part in parts
    ]
    return pc.binary_join_element_wise(*escaped, _SEPARATOR)


def shown_key(key: str) -> str:
    """A joined key as a message shows it: its parts, quoted."""
    parts, part, marks = [], "", iter(key)
    for mark in marks:
        if mark == _SEPARATOR:
            parts.append(part)
            part = ""
        else:
            part += next(marks, "") if mark == _ESCAPE else mark
    quoted = [repr(text) for text in (*parts, part)]
    return quoted[0] if len(quoted) == 1 else f"({', '.join(quoted)})"
