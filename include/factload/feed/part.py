"""What the parts of a feed have in common."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from factload.sheet.names import is_same

_A_DAY, _ANOTHER_DAY = (
    date(2026, 11, 5),
    date(2027, 12, 17),
)  # different in every part, the day of the week too


class FeedPart(BaseModel):
    """One mapping of a feed file: no field but the known ones, no type but the declared one."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        arbitrary_types_allowed=True,
    )


class CrossFieldError(ValueError):
    """Two fields contradict each other. ``at``: the field to correct, relative to the part that was validated."""

    def __init__(self, message: str, *at: str | int) -> None:
        super().__init__(message)
        self.at = at


def sequence(value: object) -> object:
    """A list as a tuple: YAML knows lists only, frozen models hold tuples."""
    return tuple(value) if isinstance(value, list) else value


def periodic_path(path: str) -> str:
    """A path in which `{period}` stands for the date; raises ``ValueError`` where anything else would vary."""
    try:
        fields = [(name, spec or "", conversion) for _, name, spec, conversion in Formatter().parse(path)]
    except ValueError:
        raise ValueError("a { or } stands alone: write {period}, or {{ and }} for braces") from None
    for name, spec, conversion in fields:
        if name not in (None, "period"):
            raise ValueError(f"{{{name}}} is not known here; only {{period}} is, or {{period:%Y%m%d}}")
        if conversion or "{" in spec or (spec and format(_A_DAY, spec) == format(_ANOTHER_DAY, spec)):
            raise ValueError("what follows `period` is not a format of dates, such as {period:%Y%m%d}")
    return path


def time_zone(name: object) -> object:
    """The name of a time zone; raises ``ValueError`` for one that isn't known here."""
    if name is None:
        return None
    try:
        ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        raise ValueError("expected a name of the IANA time zone database such as Europe/Berlin") from None
    return name


def one_or_more(value: object) -> object:
    """The same, and a single text as a tuple of one."""
    return (value,) if isinstance(value, str) else sequence(value)


def column_name(value: object) -> object:
    """A column's name, or a list of those of which it has one; raises ``ValueError`` for a list that names none, or one
    twice. A list of one is that name."""
    if not isinstance(value, list | tuple):
        return value
    if not value or not all(isinstance(name, str) and name.strip() for name in value):
        raise ValueError("expected the column's name, or a list of names of which the sheet has one")
    for one, other in combinations(value, 2):
        if is_same(one, other):
            raise ValueError(f"has {other!r} twice in a list of names of one column")
    return tuple(value) if len(value) > 1 else value[0]


NAMES: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "pattern": r"\S"},
    "minItems": 1,
    "uniqueItems": True,
}


def names_schema(*examples: object, one: dict[str, Any], optional: bool = False) -> WithJsonSchema:
    """The schema of a column's name (``one``) or names."""
    nothing: list[dict[str, Any]] = [{"type": "null"}] if optional else []
    return WithJsonSchema({"anyOf": [one, NAMES, *nothing], "examples": list(examples)})
