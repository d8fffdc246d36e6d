"""Moments that the clocks of a time zone tell. Where clocks are put forward some times never come, where they are put
back some come twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from factload.sheet.date_format import OFFSET
from factload.sheet.dates import DAY_MICROS, LAST_DAY

# In a text of ISO 8601 (RE2): it says itself how far its clock is from UTC.
WITH_OFFSET = rf"T.*{OFFSET}\z"
_EPOCH = datetime(1970, 1, 1)
_MICRO = timedelta(microseconds=1)
_FIRST = (datetime.min - _EPOCH) // _MICRO
_LAST = (LAST_DAY + 1) * DAY_MICROS - 1


def in_utc(local: int, zone: ZoneInfo) -> tuple[int, str]:
    """The moment at which the clocks of ``zone`` show ``local``, both in microseconds since 1970-01-01T00:00, and an
    empty text; or 0 and the reason why there is not one such moment."""
    clock = _EPOCH + local * _MICRO
    first, second = (clock.replace(fold=fold, tzinfo=zone).utcoffset() or timedelta() for fold in (0, 1))
    if first != second:
        return 0, "nonexistent_time" if first < second else "ambiguous_time"
    moment = local - first // _MICRO
    return (moment, "") if _FIRST <= moment <= _LAST else (0, "not_a_date")
