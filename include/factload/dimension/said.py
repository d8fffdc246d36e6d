"""What is said of a member: its attributes as one JSON object, as the server writes the values of its columns.

So what a sheet says, what a member has and what it had are compared by one operator, and kept in one column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Text, cast, func, literal
from sqlalchemy.dialects.postgresql import JSONB


def as_object(columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """The values of these columns, each under its name."""
    return func.jsonb_build_object(*_pairs(columns), type_=JSONB)


def of_member(table: FromClause, names: Collection[str]) -> ColumnElement[Any]:
    """What the members in ``table`` have in these columns."""
    return as_object({name: table.c[name] for name in names})


def value_of(said: ColumnElement[Any], column: Column[Any]) -> ColumnElement[Any]:
    """What the object ``said`` has for a column of the dimension, in the column's type."""
    return cast(said.op("->>")(literal(column.name, Text())), column.type)


def _pairs(columns: Mapping[str, ColumnElement[Any]]) -> Iterator[ColumnElement[Any]]:
    for name in sorted(columns):
        yield literal(name, Text())
        yield columns[name]
