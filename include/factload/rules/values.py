"""A value of a rule in a feed file as the column's values are: YAML has read numbers and dates as such."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from factload.sql_types import SqlType, is_in_integer, is_in_numeric

BOUND_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}], "examples": [0, 99.5, "2026-01-01"]}
)


def list_of_values(*, examples: list[list[str]]) -> Any:
    """The annotation of a field that is a list of at least one value."""
    schema = {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "boolean"}]},
        "examples": examples,
    }
    return Annotated[tuple[Any, ...], Field(min_length=1), BeforeValidator(_as_tuple), WithJsonSchema(schema)]


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def parse_values(name: str, values: tuple[object, ...], declared: SqlType) -> tuple[Any, ...]:
    """Each value of the field ``name``; raises ``ValueError`` as ``parse_value`` does."""
    return tuple(parse_value(name, value, declared) for value in values)


def parse_value(name: str, value: object, declared: SqlType) -> Any:
    """The value of the field ``name`` for a column of this type; raises ``ValueError`` where it is none of the type."""
    if value is None:
        raise ValueError(f"`{name}` holds an empty value; blank cells are not checked: use `required`")
    if declared.zoned:
        raise ValueError(
            f"`{name}` goes with a timestamp without time zone: a moment in a feed file would need a zone of its own"
        )
    given: object = value
    if declared.kind == "numeric" and isinstance(value, int | float) and not isinstance(value, bool):
        given = Decimal(repr(value))  # the digits as they are written
    if declared.kind == "timestamp" and isinstance(value, date) and not isinstance(value, datetime):
        given = datetime(value.year, value.month, value.day)
    fits: dict[str, type | tuple[type, ...]] = {
        "numeric": (int, Decimal),
        "integer": int,
        "double": (int, float),
        "text": str,
        "date": date,
        "timestamp": datetime,
        "boolean": bool,
    }
    # In Python a bool is an int, and a datetime a date; in a feed file they are not.
    odd = {bool: "boolean", datetime: "timestamp"}.get(type(given), declared.kind)
    if odd != declared.kind or not isinstance(given, fits[declared.kind]) or not _has_room(given, declared):
        hint = ": put it into quotes" if declared.kind == "text" else ""
        raise ValueError(f"`{name}` {value!r} is no value of a column of type {declared}{hint}")
    return given


def _has_room(value: object, declared: SqlType) -> bool:
    """Whether the type holds a number of that size, with all its digits."""
    if declared.kind == "integer" and isinstance(value, int):
        return is_in_integer(Decimal(value), 64)
    if declared.kind == "double" and isinstance(value, int):
        return abs(value) <= 1 << 53
    if declared.kind == "numeric" and isinstance(value, int | Decimal):
        return is_in_numeric(Decimal(value), declared.precision, declared.scale)
    return True
