"""The SQL types that a feed may declare for a column.

Declared, never guessed: a column's type comes from the feed file and is checked against the fact table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["numeric", "integer", "double", "text", "date", "timestamp", "boolean"]

# PostgreSQL's names: https://www.postgresql.org/docs/current/datatype.html
_INTEGERS = {"smallint": 16, "int2": 16, "integer": 32, "int": 32, "int4": 32, "bigint": 64, "int8": 64}
_PLAIN: dict[str, Kind] = {
    "double precision": "double",
    "float8": "double",
    "text": "text",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
    "boolean": "boolean",
    "bool": "boolean",
}
_MAX_PRECISION = 38  # decimal128's, and enough for any sum that people publish
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
EXAMPLES = "numeric(18,4), integer, bigint, double precision, text, varchar(40), date, timestamp, boolean"


def _in_any_case(name: str) -> str:
    """An expression for a type's name in upper and lower case, with any white space between its words."""
    return r"\s+".join(
        "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in word)
        for word in name.split()
    )


def _pattern() -> str:
    plain = "|".join(map(_in_any_case, [*_INTEGERS, *_PLAIN]))
    numeric = "|".join(map(_in_any_case, ("numeric", "decimal")))
    varchar = "|".join(map(_in_any_case, ("varchar", "character varying")))
    precision, number = r"\s*0*(?:[1-9]|[12][0-9]|3[0-8])\s*", r"\s*[0-9]+\s*"
    return rf"^\s*(?:{plain}|(?:{numeric})\s*\({precision}(?:,{number})?\)|(?:{varchar})\s*\({number}\))\s*$"


# Every spelling that ``parse_sql_type`` takes, for editors: an expression of JSON Schema can't ignore case.
PATTERN = _pattern()


@dataclass(frozen=True, slots=True)
class SqlType:
    """One declared column type. ``bits`` is of integers, ``length`` of varchar, the rest of numeric."""

    kind: Kind
    precision: int = 0
    scale: int = 0
    bits: int = 0
    length: int | None = None

    @property
    def is_exact_number(self) -> bool:
        """Whether the column has a control total: sums of binary fractions depend on their order."""
        return self.kind in ("numeric", "integer")

    def __str__(self) -> str:
        if self.kind == "numeric":
            return f"numeric({self.precision},{self.scale})"
        if self.kind == "integer":
            return {16: "smallint", 32: "integer", 64: "bigint"}[self.bits]
        if self.kind == "text" and self.length is not None:
            return f"varchar({self.length})"
        return "double precision" if self.kind == "double" else self.kind


def parse_sql_type(text: str) -> SqlType:
    """The type that ``text`` names, in PostgreSQL's words.

    Raises ``ValueError`` that says which types there are.
    """
    name = " ".join(text.lower().split())
    if name in _INTEGERS:
        return SqlType("integer", bits=_INTEGERS[name])
    if name in _PLAIN:
        return SqlType(_PLAIN[name])
    if match := _NUMERIC.fullmatch(name):
        precision, scale = int(match[1]), int(match[2] or 0)
        if not (1 <= precision <= _MAX_PRECISION and scale <= precision):
            raise ValueError(f"{text!r}: precision is 1 to {_MAX_PRECISION} and scale at most precision")
        return SqlType("numeric", precision=precision, scale=scale)
    if match := _VARCHAR.fullmatch(name):
        return SqlType("text", length=int(match[1]))
    if name in ("timestamptz", "timestamp with time zone"):
        raise ValueError(
            f"{text!r} is not a type a feed can declare: the moments of a sheet have no time zone. Declare timestamp, "
            "for a column that is timestamp without time zone"
        )
    meant = _MEANT.get(name.partition("(")[0].strip())
    raise ValueError(
        f"{text!r} is not a type a feed can declare; "
        + (f"did you mean {meant}?" if meant else f"there are {EXAMPLES}")
    )
