"""A value as calamine gives it, by its kind and its text."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

# factload.sheet.block.Kind, without the packages that it needs
BLANK, TEXT, NUMBER, BOOLEAN, ISO_DATE, ERROR, NO_VALUE, TIME, ELAPSED, STALE, AMBIGUOUS = (
    *(0, 1, 2, 4, 5, 6, 7, 8, 9, 10),
    13,
)
Held = tuple[int, str]


def held_in(value: Any) -> Held:
    """What a cell holds: its kind, and its text."""
    if value is None or value == "":
        return BLANK, ""
    if isinstance(value, bool):  # before int, which it is too
        return BOOLEAN, str(int(value))
    if isinstance(value, int | float):
        whole = isinstance(value, int) or (value.is_integer() and abs(value) < 1e15)
        return NUMBER, str(int(value)) if whole else repr(value)
    return _other(value)


def _other(value: Any) -> Held:
    if isinstance(value, tuple):  # it is known already
        return value[0], _storable(value[1])
    if isinstance(value, date):
        return ISO_DATE, value.isoformat()
    if isinstance(value, time):
        return TIME, repr((datetime.combine(date.min, value) - datetime.min) / timedelta(days=1))
    if isinstance(value, timedelta):
        return ELAPSED, repr(value / timedelta(days=1))
    return TEXT, _storable(str(value))


def _storable(text: str) -> str:
    """The text as the readers of other workbooks give it: NUL marked."""
    if "\0" not in text:
        return text
    from factload.sheet.unstorable import marked

    return marked(text)
