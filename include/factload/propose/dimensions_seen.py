"""Which columns of a dimension that is there may be its business key, and what a feed may do with it.

Nothing is proposed that a load is known to refuse: a key that several members share, a moment as a key, members made
where the table doesn't let them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from factload.propose.names import is_key
from factload.propose.tables_seen import SeenTable, TableColumn, Warehouse

_HISTORIES = (
    ("valid_from", "valid_to"), ("valid_from", "valid_until"), ("effective_from", "effective_to"),
    ("effective_date", "expiration_date"), ("effective_date", "end_date"), ("start_date", "end_date"),
    ("date_from", "date_to"), ("from_date", "to_date"), ("gueltig_von", "gueltig_bis"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BusinessKey:
    """Columns that tell the members of a dimension apart; with ``history`` only at a time."""

    columns: tuple[str, ...]
    type: Literal["text", "date"]
    history: tuple[str, str] | None = None


def business_keys(table: SeenTable, warehouse: Warehouse) -> list[BusinessKey]:
    """What may be the business key, the likeliest first."""
    history = _history(table)
    found = []
    for columns in table.unique:
        apart = tuple(c for c in columns if not history or c not in history)
        if apart and (kind := _key_type(table, apart)) and table.primary_key not in apart:
            found.append(BusinessKey(apart, kind, history))
    if not found:
        found = [
            BusinessKey((name,), "text", history)
            for name in _texts(table)
            if history or warehouse.is_unique(table.name, name)
        ]
    primary = table.column(table.primary_key or "")
    if not found and primary and not primary.generated and (kind := _key_type(table, (primary.name,))):
        found = [BusinessKey((primary.name,), kind, history)]
    return sorted(found, key=lambda key: len(key.columns))


def single_keys(table: SeenTable) -> list[str]:
    """The columns that alone tell the members apart, and hold texts or whole numbers."""
    alone = [columns[0] for columns in table.unique if len(columns) == 1]
    return [name for name in alone if _key_type(table, (name,)) == "text" and not _history(table)]


def may_be_created(table: SeenTable, key: tuple[str, ...], warehouse: Warehouse) -> bool:
    """Whether a load had better make members: nobody keeps them, and the table lets it.

    Nobody does where there are none yet, or where they are nothing but their keys.
    """
    primary = table.column(table.primary_key or "")
    others = [c for c in table.columns if c.name not in key and c is not primary]
    lets = key in table.unique and primary is not None and (primary.generated or primary.default)
    return lets and not any(c.needed for c in others) and (not others or warehouse.is_empty(table.name))


def _key_type(table: SeenTable, columns: tuple[str, ...]) -> Literal["text", "date"] | None:
    """What the sheet's cells are read as for such a key; nothing where a load refuses it."""
    kinds = {_kind(column) for name in columns if (column := table.column(name))}
    if kinds == {"date"}:
        return "date"
    return "text" if kinds and kinds <= {"text", "integer", "other"} else None


def _kind(column: TableColumn) -> str:
    if column.type is None:
        return "moment" if column.is_time else "other"
    return column.type.kind


def _texts(table: SeenTable) -> list[str]:
    named = [
        c.name for c in table.columns if c.type and c.type.kind == "text" and c.name != table.primary_key
    ]
    return sorted(named, key=lambda name: not is_key(name))


def _history(table: SeenTable) -> tuple[str, str] | None:
    """The columns from and to which a member is valid, where there are such."""
    moments = {c.name for c in table.columns if c.type and c.type.kind in ("date", "timestamp")}
    return next((pair for pair in _HISTORIES if set(pair) <= moments), None)
