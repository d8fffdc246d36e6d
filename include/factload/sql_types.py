"""The SQL types that a feed may declare for a column.

Declared, never guessed: a column's type comes from the feed file and is checked against the fact table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Literal

Kind = Literal["numeric", "integer", "double", "text", "date", "timestamp", "boolean"]

MAX_PRECISION = 38  # decimal128's, and enough for any sum that people publish


@dataclass(frozen=True, slots=True)
class _Plain:
    """A type without figures in parentheses. ``spellings``: PostgreSQL's names, the one that it is told by first;
    ``arrow``: Arrow's name of the type in a partition file; ``bits`` is of integers, ``zoned`` of timestamps."""

    kind: Kind
    spellings: tuple[str, ...]
    arrow: str
    bits: int = 0
    zoned: bool = False


# https://www.postgresql.org/docs/current/datatype.html
_PLAIN = (
    _Plain("integer", ("smallint", "int2"), "int64", bits=16),
    _Plain("integer", ("integer", "int", "int4"), "int64", bits=32),
    _Plain("integer", ("bigint", "int8"), "int64", bits=64),
    _Plain("double", ("double precision", "float8"), "float64"),
    _Plain("text", ("text",), "string"),
    _Plain("date", ("date",), "date32"),
    _Plain("timestamp", ("timestamp", "timestamp without time zone"), "timestamp[us]"),
    _Plain("timestamp", ("timestamptz", "timestamp with time zone"), "timestamp[us]", zoned=True),
    _Plain("boolean", ("boolean", "bool"), "bool"),
)
_SPELT = {spelling: plain for plain in _PLAIN for spelling in plain.spellings}
_PLAIN_OF = {(plain.kind, plain.bits, plain.zoned): plain for plain in _PLAIN}
_NUMERIC = re.compile(r"(?:numeric|decimal)\s*\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\)")
_VARCHAR = re.compile(r"(?:varchar|character varying)\s*\(\s*([0-9]+)\s*\)")

# What other systems, and people in a hurry, call them.
_MEANT = {
    **dict.fromkeys(("number", "numeric", "decimal", "money", "dec"), "numeric(18,4)"),
    **dict.fromkeys(
        ("string", "str", "char", "nvarchar", "varchar", "character varying"), "text or varchar(40)"
    ),
    **dict.fromkeys(("float", "real", "double", "float4"), "double precision"),
    **dict.fromkeys(("datetime",), "timestamp"),
    **dict.fromkeys(("bit", "logical", "yesno"), "boolean"),
    **dict.fromkeys(("long", "int64", "serial", "bigserial"), "bigint"),
}
EXAMPLES = "numeric(18,4), integer, bigint, double precision, text, varchar(40), date, timestamp, timestamptz, boolean"


def _in_any_case(name: str) -> str:
    """An expression for a type's name in upper and lower case, with any white space between its words."""
    return r"\s+".join(
        "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in word)
        for word in name.split()
    )


def _pattern() -> str:
    plain = "|".join(map(_in_any_case, _SPELT))
    numeric = "|".join(map(_in_any_case, ("numeric", "decimal")))
    varchar = "|".join(map(_in_any_case, ("varchar", "character varying")))
    precision, number = r"\s*0*(?:[1-9]|[12][0-9]|3[0-8])\s*", r"\s*[0-9]+\s*"
    return rf"^\s*(?:{plain}|(?:{numeric})\s*\({precision}(?:,{number})?\)|(?:{varchar})\s*\({number}\))\s*$"


# Every spelling that ``parse_sql_type`` takes, for editors: an expression of JSON Schema can't ignore case.
PATTERN = _pattern()
_EVERY_DIGIT = Context(prec=1000)


@dataclass(frozen=True, slots=True)
class SqlType:
    """One declared column type. ``bits`` is of integers, ``length`` of varchar, ``zoned`` of a timestamp with time
    zone, the rest of numeric."""

    kind: Kind
    precision: int = 0
    scale: int = 0
    bits: int = 0
    length: int | None = None
    zoned: bool = False

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, exact or not."""
        return self.kind in ("numeric", "integer", "double")

    @property
    def is_exact_number(self) -> bool:
        """Whether the column has a control total: sums of binary fractions depend on their order."""
        return self.kind in ("numeric", "integer")

    @property
    def arrow(self) -> str:
        """Arrow's name of the type in a partition file; not of numeric, which Arrow names by its digits, and of moments
        without a zone."""
        return _PLAIN_OF[self.kind, self.bits, self.zoned].arrow

    def has_room_for(self, other: SqlType) -> bool:
        """Whether every value of a numeric type is one of this numeric type."""
        return other.scale <= self.scale and other.precision - other.scale <= self.precision - self.scale

    def __str__(self) -> str:
        if self.kind == "numeric":
            return f"numeric({self.precision},{self.scale})"
        if self.length is not None:
            return f"varchar({self.length})"
        return _PLAIN_OF[self.kind, self.bits, self.zoned].spellings[0]


def integer_range(bits: int) -> range:
    """The whole numbers that an integer of so many bits holds."""
    bound = 1 << (bits - 1)
    return range(-bound, bound)


def is_in_integer(value: Decimal, bits: int) -> bool:
    """Whether an integer of so many bits holds the number."""
    held = integer_range(bits)
    return value == value.to_integral_value() and held.start <= value < held.stop


def is_in_numeric(value: Decimal, precision: int, scale: int) -> bool:
    """Whether ``numeric(precision, scale)`` holds the number with all its digits."""
    if not value.is_finite():
        return False
    if not value:
        return True
    _, digits, exponent = value.normalize(_EVERY_DIGIT).as_tuple()
    return -int(exponent) <= scale and len(digits) + int(exponent) <= precision - scale


def parse_sql_type(text: str) -> SqlType:
    """The type that ``text`` names, in PostgreSQL's words.

    Raises ``ValueError`` that says which types there are.
    """
    name = " ".join(text.lower().split())
    if plain := _SPELT.get(name):
        return SqlType(plain.kind, bits=plain.bits, zoned=plain.zoned)
    if match := _NUMERIC.fullmatch(name):
        precision, scale = int(match[1]), int(match[2] or 0)
        if not (1 <= precision <= MAX_PRECISION and scale <= precision):
            raise ValueError(f"{text!r}: precision is 1 to {MAX_PRECISION} and scale at most precision")
        return SqlType("numeric", precision=precision, scale=scale)
    if match := _VARCHAR.fullmatch(name):
        return SqlType("text", length=int(match[1]))
    meant = _MEANT.get(name.partition("(")[0].strip())
    raise ValueError(
        f"{text!r} is not a type a feed can declare; "
        + (f"did you mean {meant}?" if meant else f"there are {EXAMPLES}")
    )
