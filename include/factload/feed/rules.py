"""Rules in a feed file, checked against the declared type when the file is read, not when the rows are."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any

from pydantic import WithJsonSchema

from factload.sheet.rules import Rules
from factload.sql_types import SqlType

_ORDERED = ("numeric", "integer", "double", "date", "timestamp")
VALUE_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}], "examples": [0, 99.5, "2026-01-01"]}
)
_VALUES: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "boolean"}]},
}
VALUES_SCHEMA = WithJsonSchema({**_VALUES, "examples": [["EUR", "USD"]]})
NOT_ALLOWED_SCHEMA = WithJsonSchema({**_VALUES, "examples": [["Total", "Grand Total"]]})


def rules_of(
    declared: SqlType,
    minimum: object,
    maximum: object,
    allowed: tuple[object, ...],
    pattern: str | None,
    not_allowed: tuple[object, ...] = (),
) -> Rules:
    """The rules of a column of this type; raises ``ValueError`` for those that no value could be judged by."""
    for name, bound in (("min", minimum), ("max", maximum)):
        if bound is not None and declared.kind not in _ORDERED:
            raise ValueError(f"`{name}` goes with numbers and dates, and this column is {declared}")
    if pattern is not None and declared.kind != "text":
        raise ValueError(f"`pattern` goes with text, and this column is {declared}")
    rules = Rules(
        minimum=None if minimum is None else _value("min", minimum, declared),
        maximum=None if maximum is None else _value("max", maximum, declared),
        allowed=tuple(_value("allowed", value, declared) for value in allowed),
        pattern=pattern,
        not_allowed=tuple(_value("not_allowed", value, declared) for value in not_allowed),
    )
    if both := set(rules.allowed) & set(rules.not_allowed):
        raise ValueError(f"`allowed` and `not_allowed` both name {min(map(repr, both))}")
    _require_expression(rules)
    if rules.minimum is not None and rules.maximum is not None and rules.minimum > rules.maximum:
        raise ValueError(f"`min` {minimum} is above `max` {maximum}: no value could be between them")
    return rules


def _value(name: str, value: object, declared: SqlType) -> Any:
    """A value of the feed file as the column's values are; YAML has read numbers and dates as such."""
    if value is None:
        raise ValueError(f"`{name}` holds an empty value; blank cells are not checked: use `required`")
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
        return -(1 << 63) <= value < 1 << 63
    if declared.kind == "double" and isinstance(value, int):
        return abs(value) <= 1 << 53
    if declared.kind == "numeric" and isinstance(value, int | Decimal):
        number = Decimal(value)
        if not number.is_finite():
            return False
        if not number:
            return True
        _, digits, exponent = number.normalize(Context(prec=1000)).as_tuple()
        places = max(-int(exponent), 0)
        whole = max(len(digits) + int(exponent), 0)
        return places <= declared.scale and whole <= declared.precision - declared.scale
    return True


def _require_expression(rules: Rules) -> None:
    if rules.pattern is None or rules.whole_pattern is None:
        return
    # RE2 comes with pyarrow alone; here, because Airflow reads all feed files every few seconds
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        # Alone, as `a)|(b` would fit into the whole; and as the whole, in which `\Qa` has no end.
        for expression in (rules.pattern, rules.whole_pattern):
            pc.match_substring_regex(pa.array([""]), expression)
    except pa.ArrowInvalid as error:
        said = str(error).partition(": ")[2] or str(error)
        raise ValueError(f"`pattern` is not a regular expression (RE2): {said}") from None
