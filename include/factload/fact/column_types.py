"""Whether a column of the fact table holds every value of the type that the feed declares for it."""

from __future__ import annotations

from sqlalchemy import types
from sqlalchemy.dialects.postgresql import ENUM

from factload.feed.columns import FactColumn
from factload.postgres.types import column_type, type_name
from factload.rules.allowed import ALLOWED
from factload.sql_types import SqlType

_LABELS_SHOWN = 12
_CHANGE = "Declare the column's own type, or change the table"


def misfit(source: FactColumn, declared: SqlType, actual: types.TypeEngine[object]) -> tuple[str, str] | None:
    """What a column of type ``actual`` is that can't hold every value of the ``declared`` type, and what to do."""
    if isinstance(actual, ENUM):
        return _enum_misfit(source, declared, actual)
    column = column_type(actual)
    if column.takes(declared):
        return None
    if column.zoned and declared.kind == "timestamp":
        return (
            "is timestamp with time zone, and the moments of a sheet have no zone",
            "Declare timestamptz, with the `timezone` whose clocks the sheet tells, or change the column to timestamp "
            "without time zone",
        )
    if column.family == "name":
        return (f"is {type_name(actual)}, which cuts longer texts", "Change the column to text or varchar")
    return f"is {type_name(actual)}", _CHANGE


def _enum_misfit(source: FactColumn, declared: SqlType, actual: ENUM) -> tuple[str, str] | None:
    allowed = source.asked(ALLOWED)
    if declared.kind == "text" and allowed and set(allowed) <= set(actual.enums):
        return None
    labels = ", ".join(actual.enums[:_LABELS_SHOWN]) + (", ..." if len(actual.enums) > _LABELS_SHOWN else "")
    return (
        f"is the enum {type_name(actual)}, which takes nothing but its labels",
        f"Declare the column text with `allowed: [{labels}]`, or some of these: other values are rejects then",
    )
