"""A cell as a person reads it, and the date and time that it means."""

from __future__ import annotations

from datetime import tzinfo
from decimal import Decimal

from factload.sheet.block import DATED, Kind
from factload.sheet.dates import (
    DAY_MICROS,
    GREGORIAN,
    Calendar,
    iso_micros,
    iso_time,
    serial_millis,
    serial_time,
    shown,
    shown_time,
)
from factload.sheet.doubles import as_excel_shows
from factload.sheet.numbers import parse_decimal, plain_text


def seen_in(kind: int, raw: str, calendar: Calendar) -> str:
    """What a person reads in such a cell: a date and a time in ISO 8601, of a number 15 digits."""
    if kind == Kind.BOOLEAN:
        return {"1": "TRUE", "0": "FALSE"}.get(raw, raw)
    if kind == Kind.ISO_DATE:
        moment, time = iso_micros(raw, calendar), iso_time(raw)
        return shown(moment) if moment is not None else raw if time is None else shown_time(time)
    number = parse_decimal(raw) if kind in (Kind.NUMBER, *DATED) else None
    if number is None:
        return raw
    if kind == Kind.NUMBER:
        shown_number = as_excel_shows(number)
        return raw if shown_number == number else plain_text(shown_number)
    return _seen_in_dated(kind, number, calendar) or raw


def number_seen(raw: str) -> str:
    """A number as a person reads it, however its digits stand in the file: 2024 for 2024.0. Another text as it is."""
    number = parse_decimal(raw)
    return raw if number is None else plain_text(as_excel_shows(number))


def _seen_in_dated(kind: int, serial: Decimal, calendar: Calendar) -> str | None:
    if kind == Kind.ELAPSED or is_time_alone(kind, serial, calendar):
        micros = serial_time(serial)
        if micros is None:
            return None
        return shown_time(micros if kind == Kind.ELAPSED else micros % DAY_MICROS)
    millis = serial_millis(serial, date1904=calendar.date1904)
    return None if millis is None else shown(millis * 1000)


def is_time_alone(kind: int, serial: Decimal, calendar: Calendar) -> bool:
    """Whether the cell shows a time of day and holds no day: Excel's days begin with 1, or in 1904 with 0."""
    return 0 <= serial < 1 and (kind == Kind.TIME or not calendar.date1904)


def moment_in(
    kind: int, raw: str, calendar: Calendar, *, written: bool = False, zone: tzinfo | None = None
) -> int | None:
    """Microseconds since 1970-01-01T00:00 of the moment in a cell; None if it holds none.

    ``written``: it is a text that writes the moment; ``zone`` is whose clocks it is told by if it has an offset.
    """
    if kind == Kind.ISO_DATE:
        return iso_micros(raw, GREGORIAN if written else calendar, zone=zone, to_millis=not written)
    number = parse_decimal(raw) if kind in (Kind.NUMBER, Kind.SERIAL, Kind.TIME) else None
    if number is None or is_time_alone(kind, number, calendar):
        return None
    millis = serial_millis(number, date1904=calendar.date1904)
    return None if millis is None else millis * 1000
