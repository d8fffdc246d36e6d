"""The types of the warehouse's columns: what they are called there, and what is behind a domain."""

from __future__ import annotations

from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects import postgresql

_POSTGRESQL: Any = postgresql.dialect()  # type: ignore[no-untyped-call]


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
