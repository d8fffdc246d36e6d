"""Excel's serial dates and ISO texts as days and microseconds since 1970-01-01.

Sources: ECMA-376 part 1, 18.17.4. In the 1900 system day 1 is 1900-01-01 and day 60 is 1900-02-29, which never
was; in the 1904 system day 0 is 1904-01-01.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

_UNIX = date(1970, 1, 1)
_DAY_1900 = (date(1899, 12, 30) - _UNIX).days  # what day 0 would be, counted back from March 1900
_DAY_1904 = (date(1904, 1, 1) - _UNIX).days
_PHANTOM = 60
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
