r"""Formats that a feed declares for dates in texts, ``%d.%m.%Y`` for ``31.12.2026``; ``text_values`` reads such texts.

Day, month, hour, minute and second have one or two digits, and exactly two where no character parts them from the next.
``%y`` is 1969 to 2068, as POSIX has it. A format without a day is one of months, of which each is its first day. Months
have English names, whole (``%B``) or of three letters (``%b``), in any case, and ``%p`` is AM or PM: what a text means
doesn't depend on the machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

OFFSET = "(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"  # how far a clock is from UTC, in a text of ISO 8601 too
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_PARTS = {
    **{"d": "day", "m": "month", "b": "name", "B": "name", "Y": "year", "y": "short"},
    **{"H": "hour", "I": "half", "p": "noon", "M": "minute", "S": "second", "f": "fraction", "z": "offset"},
}
_LOOKS = {
    "year": "[0-9]{4}",
    "short": "[0-9]{2}",
    "noon": "(?i:am|pm|a\\.m\\.|p\\.m\\.)",
    "fraction": "[0-9]{1,9}",
    "offset": OFFSET,
}
_EXPECTED = (
    "%d, %m (or %b, %B) and %Y (or %y), and perhaps %H (or %I with %p), %M, %S, %f and %z; or a month without %d and "
    "these; each once, with no letters or digits between them"
)
_CLOCKS = ({"hour", "minute"}, {"hour", "minute", "second"}, {"hour", "minute", "second", "fraction"})
_DIRECTIVE = re.compile(r"%(.)")


@dataclass(frozen=True, slots=True)
class DateFormat:
    """One way of writing dates. ``pattern``: what such a text looks like (RE2), a group for each part."""

    pattern: str
    parts: frozenset[str]

    @property
    def of_months(self) -> bool:
        """Whether what is written is a month, and no day of it."""
        return "day" not in self.parts


@lru_cache(maxsize=64)
def parse_date_format(date_format: str) -> DateFormat:
    """What ``date_format`` means. Raises ``ValueError`` that says what is expected."""
    between = _DIRECTIVE.split(date_format)  # literal, directive, literal, directive, … literal
    directives = between[1::2]
    named = [_PARTS.get(directive, "") for directive in directives]
    marks = "".join(between[0::2])
    if not _is_one_date(named) or any(c == "%" or (c.isalnum() and c != "T") for c in marks):
        raise ValueError(f"{date_format!r} is not a date format: expected {_EXPECTED}")
    pattern = re.escape(between[0])
    for number, (part, directive) in enumerate(zip(named, directives, strict=True)):
        before, after = between[2 * number], between[2 * number + 2]
        glued = (number > 0 and not before) or (number < len(named) - 1 and not after)
        looks = (
            _names(directive) if part == "name" else _LOOKS.get(part, "[0-9]{2}" if glued else "[0-9]{1,2}")
        )
        pattern += f"(?P<{part}>{looks})" + re.escape(after)
    return DateFormat(rf"\A{pattern}\z", frozenset(named))


def _is_one_date(named: list[str]) -> bool:
    """Whether these parts, each once, are one day, or one moment of it."""
    parts = set(named)
    if "" in parts or len(parts) < len(named) or ("half" in parts) != ("noon" in parts):
        return False
    one_of_each = all(len(parts & both) == 1 for both in ({"month", "name"}, {"year", "short"}))
    if "day" not in parts:
        return one_of_each and len(parts) == 2
    clock = parts & {"hour", "half", "minute", "second", "fraction"}
    told = {"hour" if part == "half" else part for part in clock}
    return (
        one_of_each and len(told) == len(clock) and ((not clock and "offset" not in parts) or told in _CLOCKS)
    )


def _names(directive: str) -> str:
    names = MONTHS if directive == "B" else [month[:3] for month in MONTHS]
    return f"(?i:{'|'.join(names)})"
