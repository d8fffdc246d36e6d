"""Dates and timestamps: what cells that hold them, or texts that write them, are as values of a column."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from factload.sheet.block import Kind
from factload.sheet.codes import CODES
from factload.sheet.date_format import parse_date_format
from factload.sheet.dates import DAY_MICROS, LAST_DAY, serial_micros
from factload.sheet.field import SheetField
from factload.sheet.numbers import Codes
from factload.sheet.open_cells import OpenCells, distinct_cells, none_but
from factload.sheet.seen import moment_in
from factload.sheet.zones import WITH_OFFSET, in_utc
from factload.vectors import Flags, Positions, masked, matches

_HALF_A_SECOND = 500_000  # in microseconds


def to_moments(cells: OpenCells, field: SheetField) -> tuple[pa.Array[Any], Codes]:
    codes = np.zeros(len(cells.kind), np.uint8)
    number = cells.of(Kind.SERIAL, Kind.TIME, *((Kind.NUMBER,) if field.serials else ()))
    micros, certain = serial_micros(none_but(cells.text, number), date1904=cells.calendar.date1904)
    rest = cells.of(Kind.SERIAL, Kind.TIME, Kind.ISO_DATE, *((Kind.NUMBER,) if field.serials else ()))
    known = rest.copy()
    rest &= ~certain
    if rest.any():
        micros[rest], known[rest] = _one_by_one(cells, rest, field)
    if field.type.kind == "timestamp":
        codes[cells.open & ~known] = CODES["not_a_date"]
        if field.type.zoned:
            return _in_utc(cells, micros, known, codes, field)
        return masked(micros, pa.timestamp("us"), known), codes
    # A serial number may miss its midnight by what its fraction can't hold: Excel shows the nearest second.
    near = np.where(cells.written, 0, _HALF_A_SECOND)
    day = (micros + near) // DAY_MICROS
    known &= (micros - day * DAY_MICROS < near) | (micros % DAY_MICROS == 0)
    known &= day <= LAST_DAY
    if field.text_format.date and parse_date_format(field.text_format.date).of_months:
        known &= day == day.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(
            np.int64
        )
    codes[cells.open & ~known] = CODES["not_a_date"]
    return masked(day.astype(np.int32), pa.date32(), known), codes


def _in_utc(
    cells: OpenCells, micros: Positions, known: Flags, codes: Codes, field: SheetField
) -> tuple[pa.Array[Any], Codes]:
    """The moments that the clocks of the field's zone tell; those that have an offset are in UTC already."""
    told = known & ~(matches(cells.text, WITH_OFFSET) & (cells.kind == Kind.ISO_DATE))
    distinct, back = np.unique(micros[told], return_inverse=True)
    zone = ZoneInfo(str(field.timezone))
    moments = [in_utc(local, zone) for local in distinct.tolist()]
    found = np.array([CODES[reason] if reason else 0 for _, reason in moments], np.uint8)
    codes[told] = found[back]
    micros[told] = np.array([moment for moment, _ in moments], np.int64)[back]
    return masked(micros, pa.timestamp("us", "UTC"), known & (codes == 0)), codes


def _one_by_one(cells: OpenCells, which: Flags, field: SheetField) -> tuple[Positions, Flags]:
    """The moments of some cells, in microseconds, and which of them hold one: each distinct text is read once."""
    distinct, back = distinct_cells(cells, which)
    zone = None if field.timezone is None else ZoneInfo("UTC" if field.type.zoned else field.timezone)
    moments = [
        moment_in(kind, raw, cells.calendar, written=written, zone=zone) for kind, raw, written in distinct
    ]
    micros = np.array([moment or 0 for moment in moments], np.int64)[back]
    return micros, np.array([moment is not None for moment in moments], np.bool_)[back]
