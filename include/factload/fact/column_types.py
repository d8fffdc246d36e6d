"""Whether a column of the fact table holds every value of the type that the feed declares for it."""

from __future__ import annotations

from sqlalchemy import types
from sqlalchemy.dialects.postgresql import ENUM

from factload.feed.columns import FactColumn
from factload.postgres.type_names import is_short_text, type_name
from factload.rules.allowed import ALLOWED
from factload.sql_types import SqlType

INTEGER_BITS = {"SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}
_LABELS_SHOWN = 12
_CHANGE = "Declare the column's own type, or change the table"


def misfit(source: FactColumn, declared: SqlType, actual: types.TypeEngine[object]) -> tuple[str, str] | None:
    """What a column of type ``actual`` is that can't hold every value of the ``declared`` type, and what to do."""
    if isinstance(actual, ENUM):
        return _enum_misfit(source, declared, actual)
    if _fits(declared, actual):
        return None
    if isinstance(actual, types.DateTime) and actual.timezone and declared.kind == "timestamp":
        return (
            "is timestamp with time zone, and the moments of a sheet have no zone",
            "Change the column to timestamp without time zone, or fill such a column and let a view or a generated "
            "column say the zone",
        )
    if is_short_text(actual):
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


def _fits(declared: SqlType, actual: types.TypeEngine[object]) -> bool:
    if isinstance(actual, types.Float):
        return declared.kind == "double"
    if isinstance(actual, types.Numeric):
        free = actual.precision is None
        scale = actual.scale or 0
        return declared.kind in ("numeric", "integer") and (
            free
            or (
                declared.kind == "numeric"
                and declared.scale <= scale
                and declared.precision - declared.scale <= (actual.precision or 0) - scale
            )
        )
    if isinstance(actual, types.Integer):
        return declared.kind == "integer" and declared.bits <= INTEGER_BITS.get(str(actual), 0)
    if isinstance(actual, types.String):
        wide = actual.length is None or (declared.length is not None and declared.length <= actual.length)
        return declared.kind == "text" and wide and not is_short_text(actual)
    if isinstance(actual, types.DateTime):
        return declared.kind == "timestamp" and not actual.timezone
    plain = {"date": types.Date, "boolean": types.Boolean}.get(declared.kind)
    return plain is not None and isinstance(actual, plain)
