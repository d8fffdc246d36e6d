"""Excel's serial dates and ISO texts as days and microseconds since 1970-01-01, and as a person reads them.

Sources: ECMA-376 part 1, 18.17.4. In the 1900 system day 1 is 1900-01-01 and day 60 is 1900-02-29, which never
was; in the 1904 system day 0 is 1904-01-01. Excel's Strict workbooks hold ISO texts instead, counted from 1899-12-30:
what Excel shows as 1900-01-01 stands there as 1899-12-31, up to the day that never was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from factload.sheet.date_format import OFFSET
from factload.vectors import Flags, Positions, as_flags, fixed

_UNIX = date(1970, 1, 1)
_DAY_1900 = (date(1899, 12, 30) - _UNIX).days  # what day 0 would be, counted back from March 1900
_DAY_1904 = (date(1904, 1, 1) - _UNIX).days
_PHANTOM = 60
_MOST_SERIAL = 10_000_000  # days: beyond every date
_EXACT_BELOW = float(1 << 17)  # days
LAST_DAY = (date(9999, 12, 31) - _UNIX).days
DAY_MS = 86_400_000
DAY_MICROS = DAY_MS * 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROS = 6  # digits
_CLOCK = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.]([0-9]{1,40}))?)?"
_ISO = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})(?:T{_CLOCK}({OFFSET})?)?")
_TIME = re.compile(_CLOCK)
_AMOUNT = r"([0-9]{1,9})"
_DURATION = re.compile(
    rf"P(?:{_AMOUNT}D)?(?:T(?:{_AMOUNT}H)?(?:{_AMOUNT}M)?(?:{_AMOUNT}(?:[.]([0-9]{{1,40}}))?S)?)?"
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the dates of a workbook count from.

    ``date1904``: its serial numbers. ``strict``: its ISO texts are those of Excel's Strict workbooks.
    """

    date1904: bool = False
    strict: bool = False


GREGORIAN = Calendar()  # of files that hold calendar dates alone


def serial_day(whole: int, *, date1904: bool) -> int | None:
    """The whole part of a serial number as days since 1970-01-01; None if the calendar has no such day."""
    if date1904:
        day = _DAY_1904 + whole
        return day if whole >= 0 and day <= LAST_DAY else None
    if whole < 1 or whole == _PHANTOM:
        return None
    day = _DAY_1900 + whole + (1 if whole < _PHANTOM else 0)
    return day if day <= LAST_DAY else None


def serial_millis(serial: Decimal, *, date1904: bool) -> int | None:
    """Milliseconds since 1970-01-01T00:00 of a serial number, rounded: that is how finely Excel shows it.

    The digits of a time of day are a binary fraction's; its error is below a microsecond.
    """
    if not serial.is_finite() or not 0 <= serial < _MOST_SERIAL:
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


def serial_time(serial: Decimal) -> int | None:
    """Microseconds of a serial number that is a time alone, rounded to a millisecond; None for one that is none."""
    if not serial.is_finite() or not 0 <= serial < _MOST_SERIAL:
        return None
    return int((serial * DAY_MS).to_integral_value(ROUND_HALF_EVEN)) * 1000


def iso_micros(
    text: str, calendar: Calendar = GREGORIAN, *, zone: tzinfo | None = None, to_millis: bool = True
) -> int | None:
    """Microseconds since 1970-01-01T00:00 of an ISO 8601 date, with or without a time; None if it is none.

    With an offset or ``Z`` it is the moment on the clocks of ``zone``, and without a ``zone`` it is none. Of more than
    six digits of a second, which are a binary fraction's in a cell, milliseconds are certain: ``to_millis``. In other
    texts they are rounded to microseconds, half to even, as PostgreSQL does.
    """
    match = _ISO.fullmatch(text)
    if match is None or (match[8] and zone is None):
        return None
    year, month, day, hour, minute, second = (int(group or 0) for group in match.groups()[:6])
    try:
        moment = datetime.combine(date(year, month, day), time(hour, minute, second), UTC)
        moment += timedelta(microseconds=_fraction(match[7], to_millis))
        if match[8] and zone is not None:
            there = moment.replace(tzinfo=_offset(match[8])).astimezone(zone)
            moment = there.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    micros = (moment - _EPOCH) // timedelta(microseconds=1)
    return _from_day_one(micros) if calendar.strict and not calendar.date1904 else micros


def _from_day_one(micros: int) -> int | None:
    """A date of Excel's Strict workbooks as Excel shows it: the first two months lie a day later."""
    day = micros // DAY_MICROS - _DAY_1900
    if day > _PHANTOM or day < 0:
        return micros
    return None if day in (0, _PHANTOM) else micros + DAY_MICROS


def iso_time(text: str) -> int | None:
    """Microseconds of a time of day or a duration in ISO 8601, ``12:20:00`` or ``PT12H20M``; None if it is neither."""
    if match := _TIME.fullmatch(text):
        hour, minute, second = (int(group or 0) for group in match.groups()[:3])
        if hour > 23 or minute > 59 or second > 59:
            return None
        return ((hour * 60 + minute) * 60 + second) * 1_000_000 + _fraction(match[4], True)
    match = _DURATION.fullmatch(text)
    if match is None or text[-1] in "PT":
        return None
    day, hour, minute, second = (int(group or 0) for group in match.groups()[:4])
    seconds = ((day * 24 + hour) * 60 + minute) * 60 + second
    return seconds * 1_000_000 + _fraction(match[5], True)


def _fraction(digits: str | None, to_millis: bool) -> int:
    """Microseconds of the digits after a second's point, as many as there are."""
    if not digits:
        return 0
    step = 1000 if to_millis and len(digits) > _MICROS else 1
    return int((Decimal(f"0.{digits}") * 1_000_000 / step).to_integral_value(ROUND_HALF_EVEN)) * step


def _offset(written: str) -> timezone:
    if written == "Z":
        return UTC
    minutes = int(written[1:3]) * 60 + int(written[3:].lstrip(":") or 0)
    return timezone(timedelta(minutes=minutes if written[0] == "+" else -minutes))


def shown(micros: int) -> str:
    """A moment as ISO 8601 text; a date alone when it is midnight."""
    text = (_EPOCH + timedelta(microseconds=micros)).replace(tzinfo=None).isoformat(sep=" ")
    return text.removesuffix(" 00:00:00")


def shown_time(micros: int) -> str:
    """A time of day or a duration as text: ``12:20:00``, ``25:30:00``, ``00:00:01.500``."""
    minutes, rest = divmod(micros, 60_000_000)
    hours, minute = divmod(minutes, 60)
    second, fraction = divmod(rest, 1_000_000)
    text = f"{hours:02}:{minute:02}:{second:02}"
    if fraction:
        text += f".{fraction:06}" if fraction % 1000 else f".{fraction // 1000:03}"
    return text
