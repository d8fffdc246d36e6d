"""A clock elsewhere, beside this machine's."""

from __future__ import annotations

from datetime import datetime, timedelta


def compared(whose: str, before: datetime, there: datetime, after: datetime) -> tuple[timedelta, str]:
    """How far a clock, read as ``there`` between ``before`` and ``after`` (all aware), is off, and a sentence of it."""
    off = max(there - after, before - there, timedelta())
    way = "ahead of" if there > after else "behind"
    return off, f"the {whose}'s clock is {off.total_seconds():,.0f} seconds {way} this machine's"
