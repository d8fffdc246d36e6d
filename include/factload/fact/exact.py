"""Values that a column of the fact table would round: they are rejected instead of being stored rounded."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import types

from factload.vectors import Flags, as_flags

_MICROSECONDS = 6


def rounds(kind: types.TypeEngine[object]) -> bool:
    """Whether a column of this type keeps less than a sheet's value may hold."""
    precision = getattr(kind, "precision", None)
    if isinstance(kind, types.DateTime):
        return precision is not None and precision < _MICROSECONDS
    return isinstance(kind, types.REAL)


def rounded(values: pa.Array, kind: types.TypeEngine[object]) -> Flags:
    """Which of the values would be another in a column of this type, which ``rounds``. A number for `real` is the same
    when both are written with the same digits: 0.1 is 0.1, and 16777217 would be 16777216."""
    if isinstance(kind, types.DateTime):
        unit = 10 ** (_MICROSECONDS - int(getattr(kind, "precision", None) or 0))
        moments = pc.fill_null(values.cast(pa.timestamp("us")).cast(pa.int64()), 0)
        kept = pc.multiply(pc.divide(moments, unit), unit)
        return as_flags(pc.not_equal(moments, kept))
    numbers = pc.fill_null(values, 0.0)
    short = pc.cast(pc.cast(pc.cast(numbers, pa.float32()), pa.string()), pa.float64())
    return as_flags(pc.not_equal(numbers, short))
