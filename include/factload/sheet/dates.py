"""Excel's serial dates and ISO texts as days and microseconds since 1970-01-01.

Sources: ECMA-376 part 1, 18.17.4. In the 1900 system day 1 is 1900-01-01 and day 60 is 1900-02-29, which never
was; in the 1904 system day 0 is 1904-01-01.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from factload.vectors import Flags, Positions, as_flags, fixed

_UNIX = date(1970, 1, 1)
_DAY_1900 = (date(1899, 12, 30) - _UNIX).days  # what day 0 would be, counted back from March 1900
_DAY_1904 = (date(1904, 1, 1) - _UNIX).days
_PHANTOM = 60
_EXACT_BELOW = float(1 << 17)  # days
_LAST_DAY = (date(9999, 12, 31) - _UNIX).days
DAY_MS = 86_400_000
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z)?)?")


def serial_day(whole: int, *, date1904: bool) -> int | None:
    """Days since 1970-01-01 of a serial number's whole part; None where the calendar has no such day."""
    if date1904:
        day = _DAY_1904 + whole
        return day if whole >= 0 and day <= _LAST_DAY else None
    if whole < 1 or whole == _PHANTOM:
        return None
    day = _DAY_1900 + whole + (1 if whole < _PHANTOM else 0)
    return day if day <= _LAST_DAY else None


def serial_millis(serial: Decimal, *, date1904: bool) -> int | None:
    """Milliseconds since 1970-01-01T00:00 of a serial number, rounded: that is how finely Excel shows it.

    The digits of a time of day are a binary fraction's; its error is below a microsecond.
    """
    if not serial.is_finite() or not 0 <= serial < 10_000_000:
        return None
    whole = int(serial)
    millis = int(((serial - whole) * DAY_MS).to_integral_value(ROUND_HALF_EVEN))
    if millis == DAY_MS:
        whole, millis = whole + 1, 0
    day = serial_day(whole, date1904=date1904)
    return None if day is None else day * DAY_MS + millis


def serial_micros(text: pa.Array[Any], *, date1904: bool) -> tuple[Positions, Flags]:
    """Microseconds since 1970-01-01T00:00 of serial numbers, and which of them are certain; the others are 0.

    By way of doubles. Before the year 2258 a double is off by at most 2^-37 days, less than a thousandth of a
    millisecond, so whatever isn't that near to a tie rounds as its digits do. Early days, where the calendar has
    gaps, later years and whatever is no number are left to :func:`serial_millis`.
    """
    nothing = np.zeros(len(text), np.int64), np.zeros(len(text), np.bool_)
    try:
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:  # one at least is no number
        return nothing
    serial = fixed(numbers, np.float64)
    with np.errstate(all="ignore"):  # infinities and the like are not certain
        within = as_flags(numbers.is_valid()) & (serial > _PHANTOM + 2) & (serial < _EXACT_BELOW)
        serial = np.where(within, serial, 0.0)
        day = np.floor(serial)
        millis = (serial - day) * DAY_MS
        certain = within & (np.abs(millis - np.floor(millis) - 0.5) > 0.01)
    first = _DAY_1904 if date1904 else _DAY_1900
    whole = (day.astype(np.int64) + first) * DAY_MS + np.rint(millis).astype(np.int64)
    return np.where(certain, whole * 1000, 0), certain


def iso_micros(text: str) -> int | None:
    """Microseconds since 1970-01-01T00:00 of an ISO 8601 date, with or without a time; None if it is none."""
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(group or 0) for group in match.groups()[:6])
    micros = int(((match[7] or "") + "000000")[:6])
    try:
        moment = datetime.combine(date(year, month, day), time(hour, minute, second, micros), UTC)
    except ValueError:
        return None
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def shown(micros: int) -> str:
    """A moment as ISO 8601 text; a date alone when it is midnight."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    text = moment.replace(tzinfo=None).isoformat(sep=" ")
    return text.removesuffix(" 00:00:00")
