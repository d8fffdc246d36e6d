r"""Formats that a feed declares for dates in texts, ``%d.%m.%Y`` for ``31.12.2026``; ``text_values`` reads such texts.

Day, month, hour, minute and second have one or two digits, and exactly two where no character parts them from the next.
``%y`` is 1969 to 2068, as POSIX has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_PARTS = {"d": "day", "m": "month", "Y": "year", "y": "short", "H": "hour", "M": "minute", "S": "second"}
_EXPECTED = (
    "%d, %m and %Y (or %y), and perhaps %H, %M and %S, each once, with no letters or digits between them"
)
_DIRECTIVE = re.compile(r"%(.)")


@dataclass(frozen=True, slots=True)
class DateFormat:
    """One way of writing dates. ``pattern``: what such a text looks like (RE2), a group for each part."""

    pattern: str
    parts: frozenset[str]


@lru_cache(maxsize=64)
def parse_date_format(date_format: str) -> DateFormat:
    """What ``date_format`` means. Raises ``ValueError`` that says what is expected."""
    between = _DIRECTIVE.split(date_format)  # literal, directive, literal, directive, … literal
    named = [_PARTS.get(directive, "") for directive in between[1::2]]
    parts = frozenset(named)
    dated = {"day", "month"} <= parts and len(parts & {"year", "short"}) == 1
    timed = {"second", "minute", "hour"} & parts in ({"hour", "minute", "second"}, {"hour", "minute"}, set())
    marks = "".join(between[0::2])
    each_once = len(parts) == len(named) and "" not in parts
    if not (dated and timed and each_once) or any(c == "%" or (c.isalnum() and c != "T") for c in marks):
        raise ValueError(f"{date_format!r} is not a date format: expected {_EXPECTED}")
    pattern = re.escape(between[0])
    for place, part in enumerate(named):
        before, after = between[2 * place], between[2 * place + 2]
        glued = (place > 0 and not before) or (place < len(named) - 1 and not after)
        digits = "{4}" if part == "year" else "{2}" if glued or part == "short" else "{1,2}"
        pattern += f"(?P<{part}>[0-9]{digits})" + re.escape(after)
    return DateFormat(rf"\A{pattern}\z", parts)
