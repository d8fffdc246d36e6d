"""The types of the warehouse's columns: one table of what they are called, what they hold, and what fits into them.

``sql_types`` has the types that a feed may declare; here are those that a table may have, and how the two go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import types
from sqlalchemy.dialects import postgresql

from factload.sql_types import (
    MAX_PRECISION,
    Kind,
    SqlType,
    is_in_integer,
    is_in_numeric,
)

_POSTGRESQL: Any = postgresql.dialect()  # type: ignore[no-untyped-call]

# Beyond the kinds that a feed declares: uuid and enum; name, types of the catalog that cut longer texts; anything else.
Family = Kind | Literal["uuid", "enum", "name", "other"]
_SCALE_OF_FREE = 10  # what a feed declares for a numeric column that keeps any number of decimals
_INTEGERS: dict[int, type[types.Integer]] = {
    16: types.SmallInteger,
    64: types.BigInteger,
    32: types.Integer,  # what the others are, too
}
_MADE: dict[Kind, type[types.TypeEngine[Any]]] = {
    "double": types.Double,
    "date": types.Date,
    "timestamp": types.DateTime,
    "boolean": types.Boolean,
}
# The first that a type is an instance of is its family: an enum is a string to SQLAlchemy, a float a numeric.
_FAMILIES: tuple[tuple[type[types.TypeEngine[Any]], Family], ...] = (
    (postgresql.ENUM, "enum"),
    (types.Float, "double"),
    (types.Numeric, "numeric"),
    (types.Integer, "integer"),
    (types.String, "text"),
    (types.DateTime, "timestamp"),
    (types.Date, "date"),
    (types.Boolean, "boolean"),
    (types.Uuid, "uuid"),
)


@dataclass(frozen=True, slots=True)
class ColumnType:
    """What a column of the database is. ``bits`` is of integers; ``precision`` and ``scale`` of numeric, None where
    it keeps any number of digits; ``length`` of texts, None where they may be of any length; ``labels`` of enums;
    ``zoned``: a timestamp with time zone."""

    family: Family
    bits: int = 0
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    labels: tuple[str, ...] = ()
    zoned: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it keeps texts as they are put into it; an enum does that with its labels."""
        return self.family in ("text", "enum")

    def takes(self, declared: SqlType) -> bool:
        """Whether it holds every value of the type that a feed declares."""
        if self.family != declared.kind:
            return self.family == "numeric" and self.precision is None and declared.kind == "integer"
        match declared.kind:
            case "numeric":
                return self.precision is None or SqlType(
                    "numeric", precision=self.precision, scale=self.scale or 0
                ).has_room_for(declared)
            case "integer":
                return declared.bits <= self.bits
            case "text":
                return self.length is None or (declared.length is not None and declared.length <= self.length)
            case _:
                return self.zoned == declared.zoned

    def holds(self, value: object) -> bool:
        """Whether it holds this value exactly; of one with binary fractions, as near as these come."""
        if isinstance(value, bool):
            return self.family == "boolean"
        if isinstance(value, str):
            return self._holds_text(value)
        if isinstance(value, datetime):
            return self.family == "timestamp" and self.zoned == (value.tzinfo is not None)
        if isinstance(value, date):
            return self.family == "date"
        return isinstance(value, int | Decimal) and self._holds_number(Decimal(value))

    def _holds_text(self, value: str) -> bool:
        if self.family == "enum":
            return value in self.labels
        return self.family == "text" and (self.length is None or len(value) <= self.length)

    def _holds_number(self, value: Decimal) -> bool:
        if self.family == "integer":
            return is_in_integer(value, self.bits)
        if self.family == "numeric":
            return self.precision is None or is_in_numeric(value, self.precision, self.scale or 0)
        return self.family == "double"

    @property
    def declared(self) -> SqlType | None:
        """What a feed declares for such a column; nothing where there is no such type."""
        match self.family:
            case "numeric":
                free = self.precision is None
                return SqlType(
                    "numeric",
                    precision=min(self.precision or MAX_PRECISION, MAX_PRECISION),
                    scale=_SCALE_OF_FREE if free else self.scale or 0,
                )
            case "integer":
                return SqlType("integer", bits=self.bits)
            case "text" | "enum" | "name":
                return SqlType("text", length=self.length)
            case "double" | "timestamp" | "date" | "boolean" if not self.zoned:
                return SqlType(self.family)
        return None


def column_type(kind: types.TypeEngine[Any]) -> ColumnType:
    """What a column of this type of SQLAlchemy is."""
    family: Family = next((family for known, family in _FAMILIES if isinstance(kind, known)), "other")
    match kind:
        case postgresql.ENUM():
            return ColumnType(family, length=kind.length, labels=tuple(kind.enums))
        case types.Integer():
            bits = next(bits for bits, known in _INTEGERS.items() if isinstance(kind, known))
            return ColumnType(family, bits=bits)
        case types.Numeric() if family == "numeric":
            return ColumnType(family, precision=kind.precision, scale=kind.scale)
        case types.String():
            return ColumnType("name" if is_short_text(kind) else family, length=kind.length)
        case types.DateTime():
            return ColumnType(family, zoned=bool(kind.timezone))
    return ColumnType(family)


def engine_type(declared: SqlType) -> types.TypeEngine[Any]:
    """The type of a column that is made for what a feed declares."""
    match declared.kind:
        case "numeric":
            return types.Numeric(declared.precision, declared.scale)
        case "integer":
            return _INTEGERS[declared.bits]()
        case "text":
            return types.Text() if declared.length is None else types.VARCHAR(declared.length)
    return types.DateTime(timezone=True) if declared.zoned else _MADE[declared.kind]()


def base_type(kind: types.TypeEngine[Any]) -> types.TypeEngine[Any]:
    """The type that a domain restricts; a type that is none, as it is."""
    while isinstance(kind, postgresql.DOMAIN):
        kind = kind.data_type
    return kind


def is_short_text(kind: types.TypeEngine[Any]) -> bool:
    """Whether it is "char" or name, types of the catalog that cut what is too long for them, without a word."""
    return type(kind) is types.String


def type_name(kind: types.TypeEngine[Any]) -> str:
    """A type as PostgreSQL calls it."""
    if is_short_text(kind):
        return '"char" or name'
    if isinstance(kind, types.NullType):
        return "of a type unknown to factload"
    name = str(kind.compile(dialect=_POSTGRESQL))
    return name if isinstance(kind, postgresql.ENUM) else name.lower()
