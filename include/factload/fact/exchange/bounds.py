"""The bounds of partitions: which values a partition takes, and which bound is one load's own.

https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-PARMS-PARTITION-OF
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

Value = str | int | date | datetime | UUID

_LITERAL = re.compile(r"E?'((?:[^']|'')*)'|([^\s,()']+)")
_RANGE = re.compile(r"FOR VALUES FROM \((.*)\) TO \((.*)\)", re.DOTALL)
_LIST = re.compile(r"FOR VALUES IN \((.*)\)", re.DOTALL)
_LOWEST: Final = ("MINVALUE", "-infinity")
_HIGHEST: Final = ("MAXVALUE", "infinity")


@dataclass(frozen=True, slots=True)
class Bound:
    """What a partition takes of one column. ``values``: of LIST, as texts; ``low`` (within) and ``high`` (beyond): of
    RANGE. ``definition``: as PostgreSQL writes it; ``DEFAULT`` takes nothing by itself."""

    definition: str
    values: tuple[str, ...] = ()
    low: str | None = None
    high: str | None = None

    def takes(self, value: Value) -> bool:
        """Whether a row with this value belongs here."""
        if self.low is None or self.high is None:
            return _text_of(value) in self.values
        above = self.low in _LOWEST or not _less(value, self.low)
        return above and (self.high in _HIGHEST or _less(value, self.high))


def read_bound(definition: str) -> Bound:
    """A bound as ``pg_get_expr(relpartbound, oid)`` writes it, for a partition key of one column; dates are ISO."""
    if found := _LIST.fullmatch(definition):
        return Bound(definition, values=tuple(_literals(found[1])))
    if found := _RANGE.fullmatch(definition):
        [low], [high] = _literals(found[1]), _literals(found[2])
        return Bound(definition, low=low, high=high)
    return Bound(definition)


def after(value: Value) -> Value:
    """The end of the narrowest range that begins with ``value``: a day later, or the next number."""
    if isinstance(value, date):
        return value + timedelta(days=1)
    if isinstance(value, int):
        return value + 1
    raise ValueError(f"no range of a single {type(value).__name__}")


def _literals(text: str) -> list[str]:
    return [
        bare or quoted.replace("''", "'")
        for quoted, bare in (found.groups("") for found in _LITERAL.finditer(text))
    ]


def _text_of(value: Value) -> str:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def _less(value: Value, bound: str) -> bool:
    match value:
        case datetime():
            return value < datetime.fromisoformat(bound)
        case date():
            return value < date.fromisoformat(bound)
        case int():
            return value < int(bound)
    raise ValueError(f"no order of {type(value).__name__} is known here")
