"""Which column of the sheet each field of a partition file was read from: noted in the file's schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from factload.sheet.field import SheetField
from factload.sheet.references import column_letters

Places = Mapping[bytes, bytes]


def places(fields: Sequence[SheetField], placed: Sequence[int]) -> dict[str, str]:
    """What a schema's metadata say. ``fields``: as they are read; ``placed``: the index of each column (A = 1)."""
    letters = {field.name: column_letters(index) for field, index in zip(fields, placed, strict=True)}
    return letters | {_header(field.name): field.column for field in fields}


def letter_of(noted: Places, field: str) -> str:
    """The column's letters, such as ``B``."""
    return noted[field.encode()].decode()


def header_of(noted: Places, fields: Sequence[str]) -> str:
    """What the columns of these fields are called, one after another."""
    return ", ".join(noted[_header(field).encode()].decode() for field in fields)


def _header(field: str) -> str:
    return f"header:{field}"
