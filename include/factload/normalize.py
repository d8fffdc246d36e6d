"""How both sides of a lookup spell a business key: one function, applied to the sheet's keys and the dimension's."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.vectors import as_flags, flags, texts

_MAX_WIDTH = 200
_SEPARATOR = "\x1f"  # ASCII's unit separator, between the parts of a composite key
_ESCAPE = "\x1b"


@dataclass(frozen=True, slots=True)
class NormalizeStep:
    """One step. ``argument``: the width of ``zero_pad``, the text of ``strip_prefix``."""

    name: str
    argument: int | str | None = None

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name}: {self.argument}"


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
    "trim": lambda keys, _: pc.utf8_trim_whitespace(keys),
    "collapse_spaces": lambda keys, _: pc.replace_substring_regex(keys, r"\s+", " "),
    "upper": lambda keys, _: pc.utf8_upper(keys),
    "lower": lambda keys, _: pc.utf8_lower(keys),
    "casefold": _casefold,
    "nfc": lambda keys, _: pc.utf8_normalize(keys, form="NFC"),
    "zero_pad": lambda keys, width: pc.utf8_lpad(keys, width, "0"),
    "strip_prefix": _strip_prefix,
}
_ARGUMENTS = {
    "zero_pad": "a width from 1 to 200, such as {zero_pad: 8}",
    "strip_prefix": "a text, such as {strip_prefix: K-}",
}
KNOWN_STEPS = ", ".join(f"{{{name}: …}}" if name in _ARGUMENTS else name for name in _STEPS)


def step_schema() -> dict[str, Any]:
    """The JSON Schema of one step of a feed's list."""
    arguments = {
        "zero_pad": {"type": "integer", "minimum": 1, "maximum": _MAX_WIDTH},
        "strip_prefix": {"type": "string", "minLength": 1},
    }
    with_argument = [
        {"type": "object", "properties": {name: kind}, "required": [name], "additionalProperties": False}
        for name, kind in arguments.items()
    ]
    return {"anyOf": [{"enum": [name for name in _STEPS if name not in arguments]}, *with_argument]}


def parse_steps(value: object) -> tuple[NormalizeStep, ...]:
    """The steps that a feed's list names, such as ``[trim, {zero_pad: 8}]``; raises ``ValueError`` that teaches."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of steps, such as [trim, upper]; there are {KNOWN_STEPS}")
    return tuple(
        step if isinstance(step, NormalizeStep) else _parse_step(i, step) for i, step in enumerate(value)
    )


class StepError(ValueError):
    """What is wrong with one step of a list; ``at`` says with which."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.at = (place,)


def _parse_step(place: int, value: object) -> NormalizeStep:
    if isinstance(value, Mapping) and len(value) == 1:
        [(name, argument)] = value.items()
    else:
        name, argument = value, None
    if not isinstance(name, str) or name not in _STEPS:
        close = difflib.get_close_matches(str(name), _STEPS, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"There are {KNOWN_STEPS}"
        raise StepError(f"{name!r} is not a step. {hint}", place)
    fits = {
        "zero_pad": isinstance(argument, int)
        and not isinstance(argument, bool)
        and 1 <= argument <= _MAX_WIDTH,
        "strip_prefix": isinstance(argument, str) and argument != "",
    }.get(name, argument is None)
    if not fits:
        takes = _ARGUMENTS.get(name, "nothing: write it without a colon")
        raise StepError(f"the step {name} takes {takes}", place)
    return NormalizeStep(name, argument)


def normalize(keys: pa.Array, steps: Sequence[NormalizeStep]) -> pa.Array:
    """Business keys (strings) as both sides of the lookup spell them; blank ones, before or after, become null."""
    keys = _none_for_blank(keys)
    for step in steps:
        keys = _STEPS[step.name](keys, step.argument)
    return _none_for_blank(keys) if steps else keys


def _none_for_blank(keys: pa.Array) -> pa.Array:
    blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(keys)), 0)
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
