"""Columns that say the same of a key in every row: what a flat sheet repeats of a customer beside its number."""

from __future__ import annotations

from collections.abc import Sequence

from factload.propose.columns_seen import SeenColumn
from factload.propose.names import is_key, stem
from factload.sheet.block import Kind
from factload.sheet.rows import Row

_OFTEN = 2  # rows for each key, on average: with fewer it says nothing that no two of a key differ


def attributes_of(columns: Sequence[SeenColumn], data: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """By the name of a key's column those of texts that are called after the same thing, as Customer Name after
    Customer ID, and never differ for a key."""
    found: dict[str, tuple[str, ...]] = {}
    for key in columns:
        if is_key(key.header) and key.holds_keys and len(key.cells) * _OFTEN <= key.rows:
            about = stem(key.header)
            alike = (
                c for c in columns if c is not key and _is_text_of(c, about) and _is_said_by(key, c, data)
            )
            if headers := tuple(c.header for c in alike):
                found[key.header] = headers
    return found


def _is_text_of(column: SeenColumn, about: str) -> bool:
    called = stem(column.header)
    return (
        called.startswith(f"{about}_")
        and column.reading.type.kind == "text"
        and not is_key(column.header)
        and bool(column.cells)
    )


def _is_said_by(key: SeenColumn, column: SeenColumn, data: Sequence[Row]) -> bool:
    said: dict[tuple[Kind, str], str] = {}
    blank = (Kind.BLANK, "")
    return all(
        said.setdefault(row.cells.get(key.index, blank), text) == text
        for row in data
        for text in [row.cells.get(column.index, blank)[1].strip()]
    )
